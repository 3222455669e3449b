"""Servers that are killed, answers that are lost: everything once, nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from loom_weaver import Client
from loom_weaver.client import Attached, ConnectionFailed, Detached, Output, OutputGap, WeaverEvent
from loom_weaver.client.items import TerminalItem
from loom_weaver.errors import Unauthorized
from tests.client.conftest import TIMEOUTS
from tests.client.lossy_proxy import Loss, losing
from tests.server.running import JUPYTER_TOKEN, People, RunningServer, free_port, serving, wait_for

COUNT = 1500
# Until everybody watches, and then for longer than two servers take to start.
SCRIPT = f"read x; i=0; while [ $i -lt {COUNT} ]; do i=$((i+1)); echo n$i; sleep 0.02; done; exit 3"


class Watched:
    """Everything that three streams of one weaver tell, each read in a thread."""

    def __init__(self, client: Client, weaver_id: str) -> None:
        self._pool = ThreadPoolExecutor(3)
        self.weaver_id = weaver_id
        self.lines: list[str] = []
        self.terminal: list[TerminalItem] = []
        self.events: list[WeaverEvent] = []
        self.done: list[Future[None]] = [
            self._pool.submit(self._read_lines, client),
            self._pool.submit(self._read_terminal, client),
            self._pool.submit(self._read_events, client),
        ]

    def _read_lines(self, client: Client) -> None:
        logs = client.logs(self.weaver_id)
        for item in logs:
            self.lines.append(str(item))
        assert logs.end is not None
        assert logs.end.exit_code == 3

    def _read_terminal(self, client: Client) -> None:
        with client.attach(self.weaver_id) as terminal:
            terminal.send("\n")
            for item in terminal:
                self.terminal.append(item)
            assert terminal.exit is not None
            assert terminal.exit.code == 3

    def _read_events(self, client: Client) -> None:
        for event in client.events():
            self.events.append(event)
            if event.weaver is not None and event.weaver.status == "failed":
                return

    def wait_for(self, servers: int) -> None:
        """Until all three have had something of the last of so many servers."""
        before = len(self.lines)
        wait_for(lambda: len(self.lines) > before + 40, "some lines")
        wait_for(lambda: _count(self.terminal, Attached) == servers, "the terminal")
        wait_for(lambda: [event.kind for event in self.events].count("ready") == servers, "the events")

    def finish(self) -> None:
        for each in self.done:
            each.result(90)
        self._pool.shutdown()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_killed_server_costs_no_line_and_doubles_none(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path / "data", port=port) as first:
        client = Client(first.url, JUPYTER_TOKEN, timeouts=TIMEOUTS)
        weaver = client.create("shell", command=["sh", "-c", SCRIPT])
        watched = Watched(client, weaver.id)
        watched.wait_for(1)
        first.kill()
    with serving(tmp_path / "data", port=port) as second:
        watched.wait_for(2)
        second.kill()
    with client, serving(tmp_path / "data", port=port):
        watched.finish()
        client.delete(weaver.id)
        wait_for(lambda: not client.list(), "the weaver to be gone")
    numbers = [f"n{n}" for n in range(1, COUNT + 1)]
    assert watched.lines == ["", *numbers]
    _check_terminal(watched.terminal, "\r\n".join(["", *numbers, ""]))
    _check_events(watched.events)


def _count(items: list[TerminalItem], kind: type[TerminalItem]) -> int:
    return sum(isinstance(item, kind) for item in items)


def _check_terminal(items: list[TerminalItem], shown: str) -> None:
    assert b"".join(item.data for item in items if isinstance(item, Output)).decode() == shown
    assert not [item for item in items if isinstance(item, OutputGap)]
    links = [item for item in items if isinstance(item, Attached | Detached)]
    assert [isinstance(item, Attached) for item in links] == [True, False, True, False, True]
    assert [item.again for item in links if isinstance(item, Attached)] == [False, True, True]


def _check_events(events: list[WeaverEvent]) -> None:
    kinds = [event.kind for event in events]
    assert kinds.count("reset") == 2
    assert kinds.count("ready") == 3
    told = [event.weaver.status for event in events if event.weaver and event.kind == "modified"]
    assert told.count("failed") == 1
    assert len({event.id for event in events if event.kind == "modified"}) == len(told)


@pytest.fixture
def losses() -> Iterator[Loss]:
    loss = Loss("POST", "/api/weaver", 2)
    yield loss
    assert loss.left <= 0, "nothing was lost"


def test_a_create_whose_answer_is_lost_makes_one_weaver(client: Client, people: People, losses: Loss) -> None:
    with losing(client.url, losses) as url, Client(url, people.owner.key) as behind:
        made = behind.create("shell", command=["sleep", "1000"])
    assert [found.id for found in client.list(mine=True)] == [made.id]
    assert losses.calls == 3
    client.delete(made.id)


def test_a_delete_whose_answer_is_lost_is_done(client: Client, people: People) -> None:
    made = client.create("shell", command=["sleep", "1000"])
    loss = Loss("DELETE", made.id, 1)
    with losing(client.url, loss) as url, Client(url, people.owner.key) as behind:
        behind.delete(made.id)
    assert loss.calls >= 2


def test_a_command_is_never_run_twice(client: Client, people: People) -> None:
    with client.weaver("shell") as weaver:
        weaver.wait()
        loss = Loss("POST", "/exec", 1)
        with losing(client.url, loss) as url, Client(url, people.owner.key) as behind:
            with pytest.raises(ConnectionFailed) as told:
                behind.exec(weaver.id, ["sh", "-c", "echo ran >> runs"])
            assert told.value.sent
        assert loss.calls == 1
        assert weaver.read_file("runs") == b"ran\n"


def test_calls_wait_for_a_server_that_comes_back(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path / "data", port=port) as server:
        client = Client(server.url, JUPYTER_TOKEN, timeouts=TIMEOUTS)
        with ThreadPoolExecutor() as pool:
            made = client.create("shell", command=["sh", "-c", "read x"])
            client.wait(made.id)
            waiting = pool.submit(client.wait, made.id, "ended")
            server.kill()
            creating = pool.submit(client.create, "shell", command=["true"])
            with serving(tmp_path / "data", port=port):
                assert creating.result(60).image == "shell"
                with client.attach(made.id) as terminal:
                    terminal.send("\n")
                assert waiting.result(60).status == "succeeded"
                for weaver in client.list():
                    client.delete(weaver.id)
                wait_for(lambda: not client.list(), "all weavers to be gone")
                client.close()


@pytest.mark.slow
def test_a_key_that_is_revoked_ends_the_streams(server: RunningServer, people: People) -> None:
    with Client(server.url, people.owner.key) as client, client.events() as events:
        assert next(events).kind == "ready"
        (key,) = people.owner.http.get("/api/keys").json()["keys"]
        assert people.owner.http.delete(f"/api/keys/{key['id']}").status_code == 204
        with pytest.raises(Unauthorized):
            next(events)
