"""The server is killed and comes back while somebody watches: they go on, with everything once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command_line import CommandLine
from tests.cli.screens import DETACH
from tests.server.running import RunningServer, free_port, serving, wait_for

COUNT = 'n=0; while [ $n -lt 40 ]; do n=$((n+1)); echo "line $n"; sleep 0.2; done; exit 5'
LINES = [f"line {n}" for n in range(1, 41)]


class Restarted:
    """A server on one port and data directory that can be killed and started again."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._port = free_port()

    @contextmanager
    def running(self) -> Iterator[RunningServer]:
        with serving(self._data_dir, port=self._port) as server:
            yield server


@pytest.fixture
def place(tmp_path: Path) -> Restarted:
    return Restarted(tmp_path / "data")


def _words(told: dict[str, Any]) -> tuple[str, str]:
    return told["event"], told["weaver"]["status"]


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    """What outlives a server and ends with the test."""
    with ExitStack() as stack:
        yield stack


def command_line(server: RunningServer, home: Path) -> CommandLine:
    return CommandLine(server.url, server.add_people().owner.key, home)


def test_logs_go_on_over_a_restart(place: Restarted, tmp_path: Path, closing: ExitStack) -> None:
    with place.running() as server:
        cli = command_line(server, tmp_path)
        following = closing.enter_context(cli.started("logs", "-f", cli.new(COUNT)))
        first = following.line()
        server.kill()
    with place.running():
        ended = following.ended()
        assert (ended.code, ended.err) == (0, "")
        assert [first, *ended.out.splitlines()] == LINES
        cli.delete_all()


def test_a_terminal_goes_on_when_the_server_comes_back(
    place: Restarted, tmp_path: Path, closing: ExitStack
) -> None:
    with place.running() as server:
        cli = command_line(server, tmp_path)
        weaver = cli.new(COUNT)
        screen = closing.enter_context(cli.on_screen("attach", weaver))
        screen.until("line 2")
        server.kill()
        screen.until("the link is lost")
        screen.type("x")
        screen.until_raw(b"\a")
    with place.running():
        screen.until("connected again")
        assert screen.ended() == 5
        shown = re.findall(r"^line \d+", screen.raw.decode().replace("\r", ""), re.MULTILINE)
        assert shown == LINES
        cli.delete_all()


def test_a_full_screen_is_drawn_anew(place: Restarted, tmp_path: Path, closing: ExitStack) -> None:
    redraw = "trap 'clear; stty size; echo drawn' WINCH"
    script = f"{redraw}; printf '\\033[?1049h'; echo up; while :; do sleep 0.1; done"
    with place.running() as server:
        cli = command_line(server, tmp_path)
        weaver = cli.new(script)
        screen = closing.enter_context(cli.on_screen("attach", weaver))
        screen.until("up")
        server.kill()
        screen.until_raw(b"\a")
        assert "link is lost" not in screen.text
        before = len(screen.raw)
    with place.running():
        screen.until(lambda: b"24 80\r\ndrawn" in screen.raw[before:], "the redraw")
        screen.type(DETACH)
        assert screen.ended() == 0
        cli.delete_all()


def test_events_tell_each_change_once_over_a_restart(
    place: Restarted, tmp_path: Path, closing: ExitStack
) -> None:
    with place.running() as server:
        cli = command_line(server, tmp_path)
        there = cli.new("sleep 1000", "--tag", "k=v")
        watching = closing.enter_context(cli.started("events", "--present", "--json"))
        told = [json.loads(watching.line())]
        gone = cli.new("sleep 1000")
        told += [json.loads(watching.line()) for _ in range(2)]
        server.kill()
    with place.running():
        cli.ok("delete", gone)
        last = cli.new("exit 3")
        ends = {(last, "failed"), (gone, "deleted")}
        while not ends <= {(each["weaver"]["id"], word) for each in told for word in _words(each)}:
            told.append(json.loads(watching.line()))
        watching.process.terminate()
        assert watching.ended().code == 143
        cli.delete_all()
    seen = [(each["event"], each["weaver"]["id"], each["weaver"]["status"]) for each in told]
    whole = [json.dumps([each["event"], {**each["weaver"], "viewers": 0, "age_hours": 0}]) for each in told]
    assert len(whole) == len(set(whole))
    assert seen[:3] == [
        ("present", there, "running"),
        ("added", gone, "pending"),
        ("modified", gone, "running"),
    ]
    assert [event for event, weaver, _ in seen if weaver == there] == ["present"]


def test_no_server_is_one_line(tmp_path: Path) -> None:
    cli = CommandLine(f"http://127.0.0.1:{free_port()}", "loom_sk_none", tmp_path)
    assert "does not answer" in cli.refused(5, "ps")
    assert "loom_sk_" not in cli.refused(5, "whoami")


def test_a_command_whose_server_dies_says_so(place: Restarted, tmp_path: Path, closing: ExitStack) -> None:
    with place.running() as server:
        cli = command_line(server, tmp_path)
        weaver = cli.new("sleep 1000")
        with cli.started("exec", weaver, "--", "sh", "-c", "echo begun; sleep 1000") as running:
            assert running.line() == "begun"
            server.kill()
            ended = running.ended()
        assert ended.code == 125
        assert ended.err.startswith("loom-weaver: ")
        assert len(ended.err.splitlines()) == 1
    with place.running():
        wait_for(lambda: cli.get(weaver)["status"] == "running", "the weaver to be there still")
        cli.delete_all()
