"""Terminals and logs of weavers in a page of JupyterLab."""

from __future__ import annotations

import itertools
import re
from typing import Any

from playwright.sync_api import Locator, Page, WebSocket, expect

from tests.browser.running_lab import execute

# What stands in the view of a weaver, of a kind. The graphics card draws it: there are no elements to read.
TEXT = """([kind, id]) => {
  const found = [...window.jupyterapp.shell.widgets('main')].find(each => each.id === `${kind}-${id}`);
  return found ? found.content.text() : '';
}"""
HOLDS = f"([kind, id, pattern]) => new RegExp(pattern, 'm').test(({TEXT})([kind, id]))"
COUNT = itertools.count()
# Where a shell waits for a command: nothing stands behind it.
PROMPT = r"[$#]\s*(?![\s\S])"
# Often enough to lose no time, and seldom enough to leave some to a page that draws a flood.
LOOK_EVERY_MS = 50
TERMINAL, LOG = "loom-weaver-terminal", "loom-weaver-log"


def open_terminal(page: Page, weaver_id: str, **args: Any) -> Locator:
    """The terminal, once it is connected or over; the keyboard is in it."""
    execute(page, "loom-weaver:open-terminal", {"id": weaver_id, **args})
    view = terminal(page, weaver_id)
    page.locator(
        f"#{TERMINAL}-{weaver_id} .lw-Terminal:is([data-state=connected], [data-state=over])"
    ).wait_for()
    expect(view.locator(".xterm-helper-textarea")).to_be_focused()
    return view


def terminal(page: Page, weaver_id: str) -> Locator:
    return page.locator(f"#{TERMINAL}-{weaver_id} .lw-Terminal")


def open_log(page: Page, weaver_id: str, **args: Any) -> Locator:
    execute(page, "loom-weaver:open-logs", {"id": weaver_id, **args})
    return log(page, weaver_id)


def log(page: Page, weaver_id: str) -> Locator:
    return page.locator(f"#{LOG}-{weaver_id} .lw-LogView")


def text(page: Page, weaver_id: str, kind: str = TERMINAL) -> str:
    found: str = page.evaluate(TEXT, [kind, weaver_id])
    return found


def wait_for_text(page: Page, weaver_id: str, pattern: str, kind: str = TERMINAL) -> None:
    """Until a line of the view matches `pattern`, a regular expression of JavaScript."""
    page.wait_for_function(HOLDS, arg=[kind, weaver_id, pattern], polling=LOOK_EVERY_MS)


def wait_for_prompt(page: Page, weaver_id: str) -> None:
    """Until the shell in the terminal waits for a command."""
    wait_for_text(page, weaver_id, PROMPT)


def begin(page: Page, weaver_id: str, command: str, answer: str) -> None:
    """Type a shell's command that goes on for a while, and wait for a first line that is `answer`."""
    wait_for_prompt(page, weaver_id)
    page.keyboard.type(f"{command}\n")
    wait_for_text(page, weaver_id, f"^{answer}$")


def run(page: Page, weaver_id: str, command: str, answer: str) -> None:
    """Type a shell's command, and wait for a line that is `answer`, and for the shell."""
    begin(page, weaver_id, command, answer)
    wait_for_prompt(page, weaver_id)


def interrupt(page: Page, weaver_id: str) -> None:
    """With Ctrl-C; a shell that notes it late would forget what is typed behind it."""
    page.keyboard.press("Control+c")
    wait_for_text(page, weaver_id, r"\^C")
    wait_for_prompt(page, weaver_id)


def read_size(page: Page, weaver_id: str) -> tuple[int, int]:
    """The size that a shell's terminal has: columns and rows."""
    mark = f"size{next(COUNT)}"
    wait_for_prompt(page, weaver_id)
    page.keyboard.type(f"echo {mark} $(stty size)\n")
    wait_for_text(page, weaver_id, rf"^{mark} \d+ \d+$")
    found = re.search(rf"^{mark} (\d+) (\d+)$", text(page, weaver_id), re.MULTILINE)
    assert found
    return int(found[2]), int(found[1])


class Sockets:
    """The terminals' sockets of a page, and what the page sent as text."""

    def __init__(self, page: Page) -> None:
        self.opened: list[WebSocket] = []
        self.told: list[str] = []
        page.on("websocket", self._note)

    def _note(self, socket: WebSocket) -> None:
        if "/attach" in socket.url:
            self.opened.append(socket)
            socket.on("framesent", self._note_frame)

    def _note_frame(self, payload: str | bytes) -> None:
        if isinstance(payload, str):
            self.told.append(payload)

    def sizes(self) -> list[str]:
        return [text for text in self.told if '"resize"' in text]
