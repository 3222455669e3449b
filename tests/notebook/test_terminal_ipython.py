"""The magics in IPython at a terminal: a weaver is made there, shown as text, and entered."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from loom_weaver import Client
from tests.cli.screens import DETACH, Screen, on_screen
from tests.server.running import wait_for

IPYTHON = [sys.executable, "-m", "IPython", "--no-banner", "--no-confirm-exit", "--colors=nocolor"]


@pytest.fixture
def terminal(environment: dict[str, str], client: Client) -> Iterator[Screen]:
    """With the magics loaded; weavers that are made end with it."""
    with on_screen(IPYTHON, environment | {"TERM": "xterm-256color"}) as screen:
        screen.until("In [1]:")
        screen.type("%load_ext loom_weaver\r")
        screen.until("In [2]:")
        yield screen
    for weaver in client.list(mine=True):
        client.delete(weaver.id)
    wait_for(lambda: not client.list(mine=True), "all weavers to be gone")


def test_a_weaver_is_made_shown_as_text_and_entered(terminal: Screen, client: Client) -> None:
    terminal.type("w = %weaver new --image shell --name demo\r")
    terminal.until("In [3]:")
    (weaver,) = client.list(mine=True)
    assert weaver.status == "running"
    terminal.type("w\r")
    terminal.until(f"<Weaver {weaver.id} running>")
    terminal.until("In [4]:")
    terminal.type("%weaver attach demo\r")
    terminal.until(lambda: terminal.lines[terminal.cursor[1]].endswith(("$", "#")), "the weaver's prompt")
    terminal.type("echo it-is-$((6*7))\r")
    terminal.until("it-is-42")
    terminal.type(DETACH)
    terminal.until("In [5]:")
    terminal.type("'back' * 2\r")
    terminal.until("'backback'")
    assert client.get(weaver.id).status == "running"


def test_what_cannot_be_done_is_one_line(terminal: Screen) -> None:
    terminal.type("%weaver attach nothere\r")
    terminal.until("there is no weaver 'nothere'")
    terminal.until("In [3]:")
    assert "Traceback" not in terminal.text
