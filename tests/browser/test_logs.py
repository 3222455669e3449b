"""Logs in JupyterLab, as people use them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.browser.running_lab import Labs, execute, set_theme, telling, violations
from tests.browser.views import LOG, open_log, open_terminal, run, text, wait_for_text

Create = Callable[..., dict[str, Any]]
# Colours, a progress bar, wide characters, what looks like a tag, and a line for each size of window.
ODD = r"""
echo first
printf 'loading 10 %%\rloading 60 %%\rloading 100 %%\n'
printf '\033[1;31mERROR\033[0m naïve ✅ 世界\n'
echo "<img src=x onerror=document.title='X'> <class 'int'> &amp;"
seq -s ' ' 200
exit 3
"""
LINES = 1_000_000
# Looked at while lines come; what is garbage already counts until it is collected.
WATCH_HEAP = """() => {
  window.peakHeap = 0;
  const look = () => { window.peakHeap = Math.max(window.peakHeap, performance.memory.usedJSHeapSize); };
  window.heapWatch = setInterval(look, 50);
}"""

CLOSE = "id => [...window.jupyterapp.shell.widgets('main')].find(each => each.id === id).close()"


def shell(script: str) -> dict[str, Any]:
    return {"command": ["sh", "-c", script]}


class Streams:
    """The log streams that a page asked for."""

    def __init__(self, page: Page) -> None:
        self.asked: list[Request] = []
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if "/logs?" in request.url:
            self.asked.append(request)


@pytest.mark.core
def test_odd_lines(desk: Page, create: Create) -> None:
    weaver_id = create(tags={"name": "odd"}, **shell(ODD))["id"]
    title, streams = desk.title(), Streams(desk)
    view = open_log(desk, weaver_id)
    expect(view.get_by_text("The log is complete: the weaver ended with exit code 3 (Error)")).to_be_visible()
    expect(desk.get_by_role("tab", name="Log: odd")).to_be_visible()
    lines = text(desk, weaver_id, LOG).splitlines()
    assert lines[:4] == [
        "first",
        "loading 100 %",
        "ERROR naïve ✅ 世界",
        "<img src=x onerror=document.title='X'> <class 'int'> &amp;",
    ]
    assert desk.title() == title or "X" not in desk.title().split()
    error = view.get_by_text("ERROR", exact=True)
    assert error.evaluate("node => getComputedStyle(node).fontWeight") == "700"
    assert error.evaluate("node => getComputedStyle(node).color") != "rgb(0, 0, 0)"
    # Closed at its end, and asked for no more, also when it is shown again.
    execute(desk, "apputils:activate-command-palette")
    view.get_by_role("log").click()
    assert len(streams.asked) == 1


def test_switches(desk: Page, create: Create) -> None:
    weaver_id = create(**shell(ODD))["id"]
    view = open_log(desk, weaver_id)
    rows = view.locator(".lw-LogView-row:not(.lw-mod-probe)")
    expect(rows).to_have_count(5)
    view.get_by_role("button", name="Times").click()
    expect(view.locator(".lw-LogView-time").first).to_have_text(re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z$"))
    view.get_by_role("button", name="Wrap").click()
    expect(rows).not_to_have_count(5)
    view.get_by_role("button", name="Wrap").click()
    expect(rows).to_have_count(5)
    view.get_by_role("button", name="Times").click()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_no_violation(desk: Page, create: Create, theme: str) -> None:
    weaver_id = create(**shell(ODD))["id"]
    set_theme(desk, theme)
    view = open_log(desk, weaver_id)
    view.get_by_role("button", name="Times").click()
    expect(view.get_by_text("The log is complete")).to_be_visible()
    assert violations(desk, f"#{LOG}-{weaver_id}") == []


def test_copy_and_download(desk: Page, create: Create) -> None:
    weaver_id = create(**shell("echo one; echo two"))["id"]
    view = open_log(desk, weaver_id)
    expect(view.get_by_text("The log is complete")).to_be_visible()
    desk.context.grant_permissions(["clipboard-read", "clipboard-write"])
    with telling(desk, "Copied"):
        view.get_by_role("button", name="Copy").click()
    assert desk.evaluate("() => navigator.clipboard.readText()") == "one\ntwo\n"
    with desk.expect_download() as download:
        view.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == f"{weaver_id}.log"
    assert download.value.path().read_text() == "one\ntwo\n"


@pytest.mark.core
def test_it_follows(desk: Page, create: Create) -> None:
    """The end stays in sight, until somebody looks at what was before; End, or the button, goes back."""
    weaver_id = create()["id"]
    open_terminal(desk, weaver_id)
    run(desk, weaver_id, "seq 500", "500")
    view = open_log(desk, weaver_id)
    expect(view.get_by_text("500", exact=True)).to_be_visible()
    follow = view.get_by_role("button", name="Follow")
    expect(follow).to_have_attribute("aria-pressed", "true")
    viewport = view.get_by_role("log")
    viewport.hover()
    desk.mouse.wheel(0, -2000)
    expect(follow).to_have_attribute("aria-pressed", "false")
    expect(view.get_by_text("500", exact=True)).to_be_hidden()
    viewport.press("End")
    expect(follow).to_have_attribute("aria-pressed", "true")
    expect(view.get_by_text("500", exact=True)).to_be_visible()


def test_what_is_hidden_holds_no_stream(desk: Page, create: Create) -> None:
    weaver_id = create()["id"]
    streams = Streams(desk)
    open_terminal(desk, weaver_id)
    run(desk, weaver_id, "echo $((6*7))", "42")
    open_log(desk, weaver_id)
    wait_for_text(desk, weaver_id, "^42$", LOG)
    with desk.expect_event("requestfailed", lambda request: "/logs?" in request.url):
        open_terminal(desk, weaver_id)
    run(desk, weaver_id, "echo $((7*7))", "49")
    open_log(desk, weaver_id)
    wait_for_text(desk, weaver_id, "^49$", LOG)
    assert text(desk, weaver_id, LOG).splitlines().count("42") == 1
    assert "last-event-id" in streams.asked[-1].headers


LOOPING = "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.2; done"
PAUSED = "Paused, as a browser follows two logs at a time"


def open_running_log(page: Page, weaver_id: str) -> Locator:
    view = open_log(page, weaver_id, mode="split-right")
    wait_for_text(page, weaver_id, "^line 1$", LOG)
    return view


def test_a_browser_follows_two_logs_at_a_time(desk: Page, create: Create) -> None:
    """The third takes the place of the first, which goes on when it is touched, or when there is room."""
    ids = [create(**shell(LOOPING))["id"] for _ in range(3)]
    first, second, third = (open_running_log(desk, each) for each in ids)
    expect(first).to_contain_text(PAUSED)
    expect(second).not_to_contain_text(PAUSED)
    expect(third).not_to_contain_text(PAUSED)
    first.get_by_role("log").click()
    expect(first).not_to_contain_text(PAUSED)
    expect(second).to_contain_text(PAUSED)
    desk.evaluate(CLOSE, f"{LOG}-{ids[2]}")
    expect(second).not_to_contain_text(PAUSED)
    lines = text(desk, ids[1], LOG).splitlines()
    wait_for_text(desk, ids[1], f"^line {len(lines) + 1}$", LOG)
    lines = text(desk, ids[1], LOG).splitlines()
    assert lines == [f"line {number + 1}" for number in range(len(lines))]


def test_tabs_of_a_browser_share_the_places(labs: Labs, create: Create) -> None:
    ids = [create(**shell(LOOPING))["id"] for _ in range(3)]
    context = labs.context()
    pages = [labs.open(context), labs.open(context)]
    for each in ids[:2]:
        open_running_log(pages[0], each)
    expect(pages[0].get_by_text(PAUSED)).to_have_count(0)
    open_running_log(pages[1], ids[2])
    expect(pages[0].get_by_text(PAUSED)).to_have_count(1)
    pages[1].close()
    expect(pages[0].get_by_text(PAUSED)).to_have_count(0)


def test_a_million_lines(desk: Page, create: Create, capsys: pytest.CaptureFixture[str]) -> None:
    weaver_id = create(**shell(f"seq {LINES}"))["id"]
    desk.evaluate(WATCH_HEAP)
    view = open_log(desk, weaver_id)
    expect(view.get_by_text("The log is complete")).to_be_visible()
    expect(view.get_by_text(str(LINES), exact=True)).to_be_visible()
    view.get_by_role("button", name="Earlier lines").click()
    expect(view.get_by_text("1,000,000 lines")).to_be_visible()
    expect(view.get_by_text(str(LINES), exact=True)).to_be_visible()
    assert view.locator(".lw-LogView-row").count() < 100
    view.get_by_label("Find in the log").fill("345678")
    expect(view.get_by_text("1 of 1")).to_be_visible()
    expect(view.get_by_text("345678", exact=True)).to_be_visible()
    view.get_by_role("log").press("Home")
    expect(view.get_by_text("1", exact=True)).to_be_visible()
    peak = desk.evaluate("() => { clearInterval(window.heapWatch); return window.peakHeap; }")
    with capsys.disabled():
        sys.stdout.write(f"\npeak heap with a log of {LINES:,} lines: {peak / 2**20:.0f} MiB\n")
