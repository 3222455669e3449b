"""Every call of the client, against a real server."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from loom_weaver import AsyncClient, Client, errors
from loom_weaver.client import (
    CommandFailed,
    ConnectionFailed,
    LogEnd,
    NotALoomServer,
    Output,
    ServerFailed,
    Timeouts,
    WaitTimeout,
    Weaver,
    WeaverEnded,
)
from loom_weaver.client.items import WeaverEvent
from loom_weaver.client.listing import listed
from loom_weaver.client.server import Server
from loom_weaver.client.transport import Transport
from tests.server.running import People, RunningServer, free_port, wait_for

SLEEP = ["sleep", "1000"]
IMPATIENT = Timeouts(call=5.0, retry=0.5, reconnect=0.5)


def test_me_and_the_defaults_of_a_weaver(client: Client, people: People) -> None:
    me = client.me()
    assert (me.user["id"], me.default_org_id) == (people.owner.id, people.org_id)
    made = client.create()
    assert (made.image, made.org_id, made.status) == ("python", people.org_id, "pending")
    client.delete(made.id)


def test_a_weaver_has_what_was_asked_for(client: Client) -> None:
    fields = client.weaver(
        "shell",
        env={"GREETING": "hi"},
        tags={"a": "b:c"},
        memory_limit="256Mi",
        cpu_limit="1",
        lifetime_hours=3,
        command=["sh", "-c", 'echo "$GREETING $PWD"; sleep 1000'],
        workdir="/tmp/there",
    )
    with fields as weaver:
        assert weaver.state.resources is not None
        assert weaver.state.resources.memory_limit == "256Mi"
        assert (weaver.state.lifetime_hours, weaver.state.tags) == (3, {"a": "b:c"})
        assert str(next(weaver.logs())) == "hi /tmp/there"
        assert [found.id for found in client.list(tags={"a": "b:c"})] == [weaver.id]
        assert client.list(tags={"a": "other"}) == []
        weaver.wait()
        assert [found.id for found in client.list(status="running", mine=True, limit=1)] == [weaver.id]
        assert weaver.extend(5).lifetime_hours == client.get(weaver.id).lifetime_hours == 5
        assert repr(weaver) == f"<Weaver {weaver.id} running>"


async def test_a_long_list_comes_in_pages(server: RunningServer, people: People) -> None:
    async with AsyncClient(server.url, people.owner.key) as client:
        made = [(await client.create("shell", command=SLEEP)).id for _ in range(5)]
        assert [found.id for found in await client.list(limit=3)] == made[:1:-1]
        transport = Transport(Server(server.url, people.owner.key, "a test"), Timeouts())
        pages = await listed(transport, {"mine": True}, page_size=2)
        await transport.aclose()
        assert [found.id for found in pages] == made[::-1]
        for weaver_id in made:
            await client.delete(weaver_id)


def test_the_same_key_makes_the_same_weaver(client: Client) -> None:
    first, second = (client.create("shell", command=SLEEP, idempotency_key="one") for _ in range(2))
    assert first.id == second.id
    client.delete(first.id)


def test_exec_has_exit_code_both_streams_and_stdin(client: Client) -> None:
    with client.weaver("shell") as weaver:
        result = weaver.exec(["sh", "-c", "cat; echo oops >&2; exit 4"], stdin="naïve\n")
        assert (result.exit_code, result.stdout, result.stderr) == (4, "naïve\n", "oops\n")
        assert weaver.exec(["wc", "-c"], stdin=b"\x00\xff").stdout.strip() == "2"
        assert weaver.exec(["sleep", "100"], timeout=0.2).timed_out
        with pytest.raises(CommandFailed, match=r"^sh exited with 4: oops$") as failed:
            weaver.exec(["sh", "-c", "echo oops >&2; exit 4"], check=True)
        assert failed.value.result.exit_code == 4
        with pytest.raises(errors.BadRequest, match="no-such-program"):
            weaver.exec(["no-such-program"])
        with pytest.raises(TypeError, match=r"\['sh', '-c', 'ls'\]"):
            weaver.exec("ls")


def test_a_command_with_its_streams(client: Client) -> None:
    with client.weaver("shell") as weaver:
        with weaver.exec_stream(["sh", "-c", "sort; echo done >&2; exit 3"]) as process:
            process.send("pear\napple\n")
            process.send_eof()
            output = {"stdout": b"", "stderr": b""}
            for chunk in process:
                output[chunk.stream] += chunk.data
            assert output == {"stdout": b"apple\npear\n", "stderr": b"done\n"}
            assert process.exit_code == process.wait() == 3
        with weaver.exec_stream(["stty", "size"], tty=True, size=(91, 17)) as process:
            assert b"".join(chunk.data for chunk in process) == b"17 91\r\n"
        missing = weaver.exec_stream(["no-such-program"])
        with pytest.raises(errors.BadRequest, match="no-such-program"), missing:
            missing.wait()
        with weaver.exec_stream(["sleep", "54321"]):
            wait_for(lambda: "sleep 54321" in _processes(weaver), "the command to run")
        wait_for(lambda: "sleep 54321" not in _processes(weaver), "the command to be ended")


def _processes(weaver: Weaver) -> str:
    return weaver.exec(["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"]).stdout


def test_wait_until_it_runs_and_until_it_ended(client: Client) -> None:
    with client.weaver("shell", command=["sh", "-c", "read x; exit 7"]) as weaver:
        assert weaver.wait().status == "running"
        with pytest.raises(WaitTimeout, match="was not ended after"):
            weaver.wait("ended", timeout=0.2)
        with weaver.attach() as terminal:
            terminal.send("\n")
            ended = weaver.wait("ended")
        assert (ended.status, ended.exit_code) == ("failed", 7)
        with pytest.raises(WeaverEnded, match="is failed") as told:
            weaver.wait("running")
        assert told.value.weaver.exit_code == 7


def test_waiting_for_one_that_is_deleted_or_was_never_there(client: Client) -> None:
    with pytest.raises(errors.NotFound):
        client.wait("weaver_abc123", timeout=20)
    with pytest.raises(errors.BadRequest, match="is no weaver's id"):
        client.get("../keys")


async def test_a_delete_ends_the_waiting(async_client: AsyncClient) -> None:

    async with async_client as client, client.weaver("shell", command=SLEEP) as weaver:
        await weaver.wait()
        waiting = asyncio.create_task(weaver.wait("ended"))
        await asyncio.sleep(0)
        await weaver.delete()
        assert (await waiting).reason == "Deleted"


def test_a_terminal(client: Client) -> None:
    with client.weaver("shell", command=["sh", "-c", "stty -echo; echo up; exec sh"]) as weaver:
        with weaver.attach(size=(101, 33)) as terminal:
            assert terminal.connected
            assert terminal.access == "full"
            seen = b""
            asked = False
            for item in terminal:
                if isinstance(item, Output):
                    seen += item.data
                if not asked and b"up\r\n" in seen:
                    terminal.send(b"stty size; exit 5\n")
                    asked = True
            assert b"33 101\r\n" in seen
            assert terminal.exit is not None
            assert (terminal.exit.code, terminal.exit.reason) == (5, "Error")
        position = terminal.position
        assert position is not None
        assert position.endswith(f":{len(seen)}")
        again = list(client.attach(weaver.id))
        assert b"".join(item.data for item in again if isinstance(item, Output)) == seen
        assert not any(item.live for item in again if isinstance(item, Output))
        resumed = client.attach(weaver.id, since=position.replace(f":{len(seen)}", f":{len(seen) - 3}"))
        assert [item.data for item in resumed if isinstance(item, Output)] == [seen[-3:]]


def test_support_looks_and_cannot_type(client: Client, server: RunningServer, people: People) -> None:
    with (
        client.weaver("shell", command=["cat"]) as weaver,
        Client(server.url, people.support.key) as support,
        support.attach(weaver.id) as terminal,
    ):
        attached = next(terminal)
        assert "Read-only access" in str(attached)
        assert terminal.access == "read_only"
        with pytest.raises(errors.Forbidden):
            support.exec(weaver.id, ["true"])


def test_events_tell_the_list_and_every_change(client: Client) -> None:
    with client.events() as events, client.weaver("shell", command=["sh", "-c", "exit 3"]) as weaver:
        told: list[WeaverEvent] = []
        while not told or told[-1].weaver is None or told[-1].weaver.status != "failed":
            told.append(next(events))
        assert "ready" in [event.kind for event in told]
        weaver.delete()
        last = next(event for event in events if event.kind == "deleted")
        assert last.weaver is not None
        assert last.weaver.id == weaver.id
        ready = next(event for event in told if event.kind == "ready")
    later = next(client.events(after=ready.id))
    assert later.weaver is not None
    assert later.kind != "ready"


def test_cleanup_is_for_admins(client: Client, server: RunningServer, people: People) -> None:
    with pytest.raises(errors.Forbidden, match="System admin access required"):
        client.cleanup(dry_run=True)
    with Client(server.url, people.admin.key) as admin:
        assert admin.cleanup(dry_run=True).would_delete == []


def test_errors_are_in_the_servers_words(client: Client, server: RunningServer, people: People) -> None:
    with pytest.raises(errors.BadRequest, match="lifetime_hours") as wrong:
        client.create("shell", lifetime_hours=49)
    assert [detail.field for detail in wrong.value.details] == ["lifetime_hours"]
    assert wrong.value.request_id
    with pytest.raises(errors.Forbidden, match="You are not a member of this organization"):
        client.create("shell", org_id=people.other_org_id)
    with pytest.raises(errors.NotFound):
        client.delete("weaver_abc123")
    with Client(server.url, "loom_sk_bad") as stranger, pytest.raises(errors.Unauthorized):
        stranger.me()
    with pytest.raises(TypeError, match="has no field 'imagee'"):
        client.create("shell", imagee="x")  # type: ignore[call-arg]
    assert not issubclass(ServerFailed, errors.RuntimeFailure)


def test_no_server_and_a_server_of_something_else(server: RunningServer) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with Client(url, "loom_sk_x", timeouts=IMPATIENT) as client:
        with pytest.raises(ConnectionFailed, match=f"cannot reach {url}"):
            client.me()
        with pytest.raises(ConnectionFailed):
            next(client.events())
        with pytest.raises(ConnectionFailed):
            next(client.attach("weaver_abc123"))
    elsewhere = server.url.removesuffix("/a%40b")
    with Client(elsewhere, "loom_sk_x") as client, pytest.raises(NotALoomServer, match="check the URL"):
        client.me()


def test_secrets_are_in_no_repr(client: Client, people: People) -> None:
    with client.weaver("shell", env={"PASSWORD": "hunter2"}, command=SLEEP) as weaver:
        shown = [client, weaver, weaver.state, weaver.logs(), client.events(), weaver.attach()]
        texts = [repr(each) for each in shown] + [repr(each) for each in vars(client).values()]
        assert repr(client).startswith(f"<Client {client.url} open")
        assert not any(people.owner.key in text or "hunter2" in text for text in texts)


def test_what_a_weaver_leaves_behind(client: Client) -> None:
    with client.weaver("shell", command=["sh", "-c", "echo bye; exit 2"]) as weaver:
        logs = weaver.logs()
        assert [str(item) for item in logs] == ["bye"]
        assert logs.end == LogEnd("failed", 2, "Error")
    with pytest.raises(errors.NotFound):
        wait_for(lambda: client.get(weaver.id) is None, "the weaver to be gone")


def test_a_weaver_that_was_there_is_not_ended_by_leaving(client: Client) -> None:
    made = client.create("shell", command=SLEEP)
    with client.connect(made.id) as weaver:
        assert weaver.exec(["echo", "hi"]).stdout == "hi\n"
    assert client.get(made.id).status == "running"
    client.delete(made.id)


def test_every_public_method_has_a_docstring() -> None:
    for owner in (AsyncClient, Client):
        for name, method in inspect.getmembers(owner, inspect.isfunction):
            assert name.startswith("_") or method.__doc__, f"{owner.__name__}.{name}"
