"""Terminals in JupyterLab, as people use them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser.running_lab import Labs, execute, set_theme, telling, violations, wait_for_lab
from tests.browser.views import (
    LOG,
    TERMINAL,
    Sockets,
    begin,
    interrupt,
    open_log,
    open_terminal,
    read_size,
    run,
    text,
    wait_for_text,
)
from tests.server.running import People

Create = Callable[..., dict[str, Any]]
# Says what it gets, byte for byte, without the terminal's own editing.
RAW = """
import os, sys, tty
tty.setraw(0)
os.write(1, b'{start}ready\\r\\n')
while True:
    os.write(1, os.read(0, 4096).hex(' ').encode() + b'\\r\\n')
"""
# How far the cursor goes for each of these, as the terminal itself tells.
WIDTHS = """
import os, sys, tty
tty.setraw(0)
os.write(1, b'ready\\r\\n')
os.read(0, 1)
for text in ('✅', '✨', '世', 'é'):
    os.write(1, b'\\r' + text.encode() + b'\\x1b[6n')
    answer = b''
    while not answer.endswith(b'R'):
        answer += os.read(0, 64)
    os.write(1, f'\\r\\nwide {int(answer.split(b";")[1][:-1]) - 1}\\r\\n'.encode())
os.write(1, b'measured\\r\\n')
os.read(0, 1)
"""


# Makes what is shown narrower, frame by frame; on a busy machine some come so late that a size seems to rest.
DRAG = """async () => {
  const main = document.querySelector('#main');
  let rests = 0;
  for (let width = 1270; width > 970; width -= 10) {
    main.style.width = `${width}px`;
    window.dispatchEvent(new Event('resize'));
    const since = performance.now();
    await new Promise(requestAnimationFrame);
    rests += performance.now() - since > 100 ? 1 : 0;
  }
  main.style.width = '';
  window.dispatchEvent(new Event('resize'));
  return rests;
}"""
# Fewer than two columns and a scroll bar are left beside the screen.
FITS = """selector => {
  const room = document.querySelector(`${selector} .lw-Terminal-host`).clientWidth;
  const used = document.querySelector(`${selector} .xterm-screen`).clientWidth;
  return used > 0 && used <= room && room - used < 36;
}"""
# Asks who the terminal is, says so, and shows the next bytes that come.
WHO = r"stty raw -echo; printf '\033[cask%s\r\n' ed; dd bs=1 count=20 2>/dev/null | od -An -c; stty sane"


def keeps(reply: Response, *names: str) -> bool:
    """Whether it answers that the layout is saved, with these widgets in it."""
    saved = reply.request.post_data or ""
    return "/api/workspaces/" in reply.url and all(name in saved for name in names)


def python(program: str) -> dict[str, Any]:
    return {"command": ["python3", "-c", program]}


@pytest.mark.core
def test_a_reload_finds_all_at_its_place(labs: Labs, create: Create) -> None:
    """The terminal with the same scrollback, and ready for more; the log beside it."""
    weaver_id = create(tags={"name": "brave new shell"})["id"]
    page = labs.open()
    open_log(page, weaver_id)
    with page.expect_response(lambda reply: keeps(reply, f"{TERMINAL}:{weaver_id}", f"{LOG}:{weaver_id}")):
        open_terminal(page, weaver_id, mode="split-right")
    expect(page.get_by_role("tab", name="brave new shell", exact=True)).to_be_visible()
    run(page, weaver_id, "echo $((6*7))", "42")
    wait_for_text(page, weaver_id, "^42$", LOG)
    before = text(page, weaver_id)
    page.goto(f"{labs.server.url}/lab")
    wait_for_lab(page)
    wait_for_text(page, weaver_id, "^42$")
    wait_for_text(page, weaver_id, "^42$", LOG)
    assert text(page, weaver_id) == before
    page.locator(f"#{TERMINAL}-{weaver_id} .xterm-screen").click()
    run(page, weaver_id, "echo $((7*7))", "49")
    wait_for_text(page, weaver_id, "^49$", LOG)


def test_python_starts_without_a_complaint(desk: Page, create: Create) -> None:
    """Also where it asked its terminal something before there was one."""
    weaver_id = create(image="python")["id"]
    open_terminal(desk, weaver_id)
    wait_for_text(desk, weaver_id, r"^(In \[1\]|>>>)")
    desk.keyboard.type("6*7\n")
    wait_for_text(desk, weaver_id, r"^(Out\[1\]: )?42$")
    assert "WARNING" not in text(desk, weaver_id)


@pytest.mark.core
def test_last_words(desk: Page, create: Create) -> None:
    """One close, and nothing that would bring it to life again."""
    weaver_id = create()["id"]
    sockets = Sockets(desk)
    view = open_terminal(desk, weaver_id)
    run(desk, weaver_id, "echo $((2+3))", "5")
    desk.keyboard.type("exit 3\n")
    expect(view.get_by_text("The weaver has ended with exit code 3")).to_be_visible()
    wait_for_text(desk, weaver_id, "^5$")
    with telling(desk, "Not connected: what you type is not sent"):
        desk.keyboard.type("x")
    view.get_by_role("button", name="Open the log").click()
    expect(desk.locator(f"#loom-weaver-log-{weaver_id}")).to_be_visible()
    assert len(sockets.opened) == 1


def test_an_ended_one_shows_its_scrollback(desk: Page, create: Create) -> None:
    weaver_id = create(command=["sh", "-c", "echo last; exit 4"])["id"]
    view = open_terminal(desk, weaver_id)
    expect(view.get_by_text("The weaver has ended with exit code 4")).to_be_visible()
    wait_for_text(desk, weaver_id, "^last$")


def test_one_that_never_was(desk: Page) -> None:
    view = open_terminal(desk, "weaver_0000000000000000")
    expect(view.get_by_text("There is no such weaver")).to_be_visible()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_no_violation_and_the_colours_of_the_theme(desk: Page, create: Create, theme: str) -> None:
    weaver_id = create()["id"]
    view = open_terminal(desk, weaver_id)
    set_theme(desk, theme)
    background = "getComputedStyle(document.body).getPropertyValue('--jp-layout-color0').trim()"
    desk.wait_for_function(
        f"""id => {{
          const shown = document.querySelector(`#{TERMINAL}-${{id}} .xterm-scrollable-element`);
          const probe = document.createElement('i');
          probe.style.color = {background};
          return shown && shown.style.backgroundColor === probe.style.color;
        }}""",
        arg=weaver_id,
    )
    view.get_by_role("button", name="Find", exact=True).click()
    assert violations(desk, f"#{TERMINAL}-{weaver_id}") == []


def test_every_key_reaches_the_program(desk: Page, create: Create) -> None:
    """But Ctrl-V, which pastes, and Shift+Escape, which leaves."""
    weaver_id = create(**python(RAW.replace("{start}", "")))["id"]
    view = open_terminal(desk, weaver_id)
    wait_for_text(desk, weaver_id, "^ready$")
    for letter in "abcdefghijklmnopqrsuwxyz":
        if letter in "ntw":
            continue
        desk.keyboard.press(f"Control+{letter}")
        wait_for_text(desk, weaver_id, rf"\b{ord(letter) - 96:02x}$")
    for key, sent in (("Escape", "1b"), ("Tab", "09"), ("Alt+b", "1b 62"), ("ArrowUp", "1b 5b 41")):
        desk.keyboard.press(key)
        wait_for_text(desk, weaver_id, rf"\b{sent}$")
    desk.keyboard.press("Shift+Escape")
    expect(view.get_by_role("button", name="Find", exact=True)).to_be_focused()


def test_a_paste_cannot_end_itself(desk: Page, create: Create) -> None:
    weaver_id = create(**python(RAW.replace("{start}", "\\x1b[?2004h")))["id"]
    open_terminal(desk, weaver_id)
    wait_for_text(desk, weaver_id, "^ready$")
    desk.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.evaluate("text => navigator.clipboard.writeText(text)", "a \x1b[201~\ntouch /tmp/pwned\n")
    desk.keyboard.press("Control+v")
    wait_for_text(desk, weaver_id, "1b 5b 32 30 31 7e$")
    got = " ".join(text(desk, weaver_id).split("ready")[1].split())
    assert got.startswith("1b 5b 32 30 30 7e 61 20 5b 32 30 31 7e")
    assert got.count("1b 5b 32 30 31 7e") == 1


def test_wide_characters(desk: Page, create: Create) -> None:
    weaver_id = create(**python(WIDTHS))["id"]
    open_terminal(desk, weaver_id)
    wait_for_text(desk, weaver_id, "^ready$")
    desk.keyboard.press("Enter")
    wait_for_text(desk, weaver_id, "^measured$")
    assert re.findall(r"^wide (\d)$", text(desk, weaver_id), re.MULTILINE) == ["2", "2", "2", "1"]


def test_sizes_of_hidden_tabs(desk: Page, create: Create) -> None:
    """Each has the size of its panel as shown; one that is hidden tells none, and a drag tells a handful."""
    first, second = create()["id"], create()["id"]
    sockets = Sockets(desk)
    open_terminal(desk, first)
    wide = read_size(desk, first)
    open_terminal(desk, second)
    assert read_size(desk, second) == wide
    before = len(sockets.sizes())
    rests = desk.evaluate(DRAG)
    desk.set_viewport_size({"width": 970, "height": 700})
    wait_until_it_fits(desk, second)
    narrow = read_size(desk, second)
    assert narrow < wide
    assert len(sockets.sizes()) - before < 10 + rests
    assert f'"cols":{narrow[0]}' in sockets.sizes()[-1]
    open_terminal(desk, first)
    wait_until_it_fits(desk, first)
    assert read_size(desk, first) == narrow
    desk.set_viewport_size({"width": 1280, "height": 800})


def wait_until_it_fits(page: Page, weaver_id: str) -> None:
    """The screen has as many columns as there is room for."""
    page.wait_for_function(FITS, arg=f"#{TERMINAL}-{weaver_id}")


@pytest.mark.core
def test_two_browsers(desk: Page, labs: Labs, create: Create) -> None:
    weaver_id = create()["id"]
    view = open_terminal(desk, weaver_id)
    other = labs.open()
    open_terminal(other, weaver_id)
    expect(view.get_by_text("2 viewers: local", exact=True)).to_be_visible()
    run(desk, weaver_id, "echo $((40+2))", "42")
    wait_for_text(other, weaver_id, "^42$")
    run(other, weaver_id, "echo $((40+3))", "43")
    wait_for_text(desk, weaver_id, "^43$")
    other.close()
    expect(view.get_by_text("2 viewers")).to_be_hidden()


def test_support_looks_on(desk: Page, labs: Labs, people: People, create: Create) -> None:
    """The program's question is answered once, by the owner's terminal."""
    weaver_id = create()["id"]
    open_terminal(desk, weaver_id)
    support = labs.open(key=people.support.key)
    sockets = Sockets(support)
    view = open_terminal(support, weaver_id)
    expect(view.get_by_text("Read-only", exact=True)).to_be_visible()
    support.keyboard.type("touch stolen\n")
    expect(view.get_by_role("alert")).to_contain_text("Read-only")
    run(desk, weaver_id, "ls; echo $((1+1))", "2")
    wait_for_text(support, weaver_id, "^2$")
    assert "stolen" not in text(desk, weaver_id)
    desk.keyboard.type(f"{WHO}\n")
    # A terminal that shows this has answered what came before it.
    for page in (desk, support):
        wait_for_text(page, weaver_id, "^asked$")
    desk.keyboard.type("x" * 20)
    wait_for_text(desk, weaver_id, r"\[ +\? +[0-9 ;]+c +x")
    assert len(re.findall(r"\[ +\?", text(desk, weaver_id))) == 1
    assert sockets.sizes() == []


def test_a_flood(desk: Page, create: Create) -> None:
    """The page stays quick, and the interrupt works."""
    weaver_id = create()["id"]
    open_terminal(desk, weaver_id)
    begin(desk, weaver_id, "yes | head -c 200000000", "y")
    execute(desk, "application:toggle-left-area")
    execute(desk, "application:toggle-left-area")
    desk.locator(f"#{TERMINAL}-{weaver_id} .xterm-screen").click()
    interrupt(desk, weaver_id)
    run(desk, weaver_id, "echo $((6*7))", "42")


def test_search(desk: Page, create: Create) -> None:
    weaver_id = create()["id"]
    view = open_terminal(desk, weaver_id)
    run(desk, weaver_id, "echo needle $((6*7))", "needle 42")
    desk.keyboard.press("Control+Shift+F")
    view.get_by_label("Find in the terminal").fill("needle 42")
    expect(view.get_by_text("1 of 1")).to_be_visible()
    desk.keyboard.press("Escape")
    run(desk, weaver_id, "echo $((6*8))", "48")
