"""Logs in JupyterLab, as people use them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.running_lab import execute, set_theme, violations
from tests.browser.views import LOG, open_log, open_terminal, text, wait_for_text

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


def test_odd_lines(lab: Page, create: Create) -> None:
    weaver_id = create(tags={"name": "odd"}, **shell(ODD))["id"]
    title, streams = lab.title(), Streams(lab)
    view = open_log(lab, weaver_id)
    expect(view.get_by_text("The log is complete: the weaver ended with exit code 3 (Error)")).to_be_visible()
    expect(lab.get_by_role("tab", name="Log: odd")).to_be_visible()
    lines = text(lab, weaver_id, LOG).splitlines()
    assert lines[:4] == [
        "first",
        "loading 100 %",
        "ERROR naïve ✅ 世界",
        "<img src=x onerror=document.title='X'> <class 'int'> &amp;",
    ]
    assert lab.title() == title or "X" not in lab.title().split()
    error = view.get_by_text("ERROR", exact=True)
    assert error.evaluate("node => getComputedStyle(node).fontWeight") == "700"
    assert error.evaluate("node => getComputedStyle(node).color") != "rgb(0, 0, 0)"
    # Closed at its end, and asked for no more, also when it is shown again.
    execute(lab, "apputils:activate-command-palette")
    view.get_by_role("log").click()
    assert len(streams.asked) == 1


def test_switches(lab: Page, create: Create) -> None:
    weaver_id = create(**shell(ODD))["id"]
    view = open_log(lab, weaver_id)
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
def test_no_violation(lab: Page, create: Create, theme: str) -> None:
    weaver_id = create(**shell(ODD))["id"]
    set_theme(lab, theme)
    view = open_log(lab, weaver_id)
    view.get_by_role("button", name="Times").click()
    expect(view.get_by_text("The log is complete")).to_be_visible()
    assert violations(lab, f"#{LOG}-{weaver_id}") == []


def test_copy_and_download(lab: Page, create: Create) -> None:
    weaver_id = create(**shell("echo one; echo two"))["id"]
    view = open_log(lab, weaver_id)
    expect(view.get_by_text("The log is complete")).to_be_visible()
    lab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view.get_by_role("button", name="Copy").click()
    expect(view.get_by_text("Copied")).to_be_visible()
    assert lab.evaluate("() => navigator.clipboard.readText()") == "one\ntwo\n"
    with lab.expect_download() as download:
        view.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == f"{weaver_id}.log"
    assert download.value.path().read_text() == "one\ntwo\n"


def test_it_follows(lab: Page, create: Create) -> None:
    """The end stays in sight, until somebody looks at what was before; End, or the button, goes back."""
    weaver_id = create()["id"]
    open_terminal(lab, weaver_id)
    lab.keyboard.type("seq 500\n")
    view = open_log(lab, weaver_id)
    expect(view.get_by_text("500", exact=True)).to_be_visible()
    follow = view.get_by_role("button", name="Follow")
    expect(follow).to_have_attribute("aria-pressed", "true")
    viewport = view.get_by_role("log")
    viewport.hover()
    lab.mouse.wheel(0, -2000)
    expect(follow).to_have_attribute("aria-pressed", "false")
    expect(view.get_by_text("500", exact=True)).to_be_hidden()
    viewport.press("End")
    expect(follow).to_have_attribute("aria-pressed", "true")
    expect(view.get_by_text("500", exact=True)).to_be_visible()


def test_what_is_hidden_holds_no_stream(lab: Page, create: Create) -> None:
    weaver_id = create()["id"]
    streams = Streams(lab)
    open_terminal(lab, weaver_id)
    lab.keyboard.type("echo $((6*7))\n")
    open_log(lab, weaver_id)
    wait_for_text(lab, weaver_id, "^42$", LOG)
    with lab.expect_event("requestfailed", lambda request: "/logs?" in request.url):
        open_terminal(lab, weaver_id)
    lab.keyboard.type("echo $((7*7))\n")
    wait_for_text(lab, weaver_id, "^49$")
    open_log(lab, weaver_id)
    wait_for_text(lab, weaver_id, "^49$", LOG)
    assert text(lab, weaver_id, LOG).splitlines().count("42") == 1
    assert "last-event-id" in streams.asked[-1].headers


def test_a_million_lines(lab: Page, create: Create, capsys: pytest.CaptureFixture[str]) -> None:
    weaver_id = create(**shell(f"seq {LINES}"))["id"]
    lab.evaluate(WATCH_HEAP)
    view = open_log(lab, weaver_id)
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
    peak = lab.evaluate("() => { clearInterval(window.heapWatch); return window.peakHeap; }")
    with capsys.disabled():
        sys.stdout.write(f"\npeak heap with a log of {LINES:,} lines: {peak / 2**20:.0f} MiB\n")
