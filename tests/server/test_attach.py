"""A weaver's terminal over a real WebSocket: what goes in, what comes out, and how it closes."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import Callable
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.protocol import Event

from tests.server.running import People, Person, RunningServer, wait_for
from tests.server.terminals import attached, opened, shell, ws_token

Create = Callable[..., dict[str, Any]]
NOTICE = b"*** Read-only access: You can view output but cannot send input ***\r\n"


async def test_the_documented_client(server: RunningServer, owner: Person, create: Create) -> None:
    """Text and binary are typed, output is binary and nothing else comes; 1000 when the process ends."""
    weaver = shell(create, "PS1='> ' exec sh -i")
    async with attached(server, owner, weaver) as terminal:
        await terminal.type("echo text $((1+1))\n")
        await terminal.type(b"echo binary $((2+2)); exit 3\n")
        assert await terminal.closed() == (1000, "exited 3")
        assert b"text 2\r\n" in terminal.output
        assert b"binary 4\r\n" in terminal.output
        assert terminal.kinds == {bytes}


async def test_term_1_a_big_paste_neither_freezes_nor_loses(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "stty -echo; echo ready; exec cat")
    lines = [bytes([ord("a") + number % 26]) * 999 + b"\n" for number in range(1049)]
    async with attached(server, owner, weaver) as terminal:
        await terminal.until(b"ready\r\n")
        terminal.output = b""

        async def paste() -> None:
            for line in lines:
                await terminal.type(line)

        pasting = asyncio.create_task(paste())
        wanted = b"".join(lines).replace(b"\n", b"\r\n")
        await terminal.until(lambda: len(terminal.output) >= len(wanted))
        await pasting
        assert terminal.output == wanted


async def test_a_paste_into_a_program_that_does_not_read_leaves_the_server_alone(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "stty raw -echo; echo ready; sleep 2; head -c 1000000 | sha256sum; sleep 60")
    data = os.urandom(1_000_000)
    async with attached(server, owner, weaver) as terminal:
        await terminal.until(b"ready")
        pasting = asyncio.create_task(terminal.type(data))
        for _ in range(5):
            assert (await asyncio.to_thread(owner.http.get, "/health")).status_code == 200
        await pasting
        await terminal.until(hashlib.sha256(data).hexdigest().encode())


@pytest.mark.parametrize("piece", [1_048_576, 1024])
async def test_term_2_no_short_write_drops_a_part(
    server: RunningServer, owner: Person, create: Create, piece: int
) -> None:
    weaver = shell(create, "stty raw -echo; echo ready; head -c 1048576 | sha256sum; sleep 60")
    data = os.urandom(1_048_576)
    async with attached(server, owner, weaver) as terminal:
        await terminal.until(b"ready")
        for start in range(0, len(data), piece):
            await terminal.type(data[start : start + piece])
        await terminal.until(hashlib.sha256(data).hexdigest().encode())


async def test_term_3_the_end_of_the_output_is_never_lost(
    server: RunningServer, owner: Person, create: Create
) -> None:
    wanted = b"".join(b"%d\r\n" % number for number in range(1, 201))
    for _ in range(20):
        weaver = shell(create, "seq 1 200")
        async with attached(server, owner, weaver) as terminal:
            code, _ = await terminal.closed()
            assert terminal.output == wanted
            assert code in (1000, 4409)


async def test_term_4_output_is_not_decoded(server: RunningServer, owner: Person, create: Create) -> None:
    script = "stty raw; read go; head -c 1000000 /dev/urandom >/tmp/r; sha256sum /tmp/r; echo -; cat /tmp/r"
    weaver = shell(create, f"{script}; sleep 60")
    async with attached(server, owner, weaver) as terminal:
        await terminal.type(b"go\n")
        await terminal.until(b"/tmp/r\n-\n")
        head, _, _ = terminal.output.partition(b"/tmp/r\n-\n")
        start = len(head) + len(b"/tmp/r\n-\n")
        await terminal.until(lambda: len(terminal.output) >= start + 1_000_000)
        assert terminal.kinds == {bytes}
        assert hashlib.sha256(terminal.output[start:]).hexdigest().encode() in head


async def test_term_5_input_is_not_decoded(server: RunningServer, owner: Person, create: Create) -> None:
    weaver = shell(create, "stty raw -echo; echo ready; head -c 5 | od -An -tx1; sleep 60")
    async with attached(server, owner, weaver) as terminal:
        await terminal.until(b"ready")
        for part in (b"\xe2\x82", b"\xac", b"\xff", b"\x00"):
            await terminal.type(part)
        await terminal.until(b"e2 82 ac ff 00")


async def test_term_6_replay_and_live_output_meet_without_gap_or_overlap(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "i=0; while :; do i=$((i+1)); echo n$i; done | head -n 3000000; sleep 60")
    for _ in range(10):
        async with attached(server, owner, weaver) as terminal:
            await terminal.until_longer(300_000)
            whole = terminal.output[terminal.output.index(b"\n") + 1 : terminal.output.rindex(b"\n")]
            numbers = [int(line[1:]) for line in whole.split(b"\r\n")[:-1]]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def test_term_7_an_idle_prompt_is_seen_by_who_comes_later(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "PS1='ready> ' exec sh -i")
    async with attached(server, owner, weaver) as first:
        await first.until(b"ready> ")
    async with attached(server, owner, weaver) as second:
        await second.until(b"ready> ")
    async with attached(server, owner, weaver, "?scrollback=0", v1=True) as third:
        ready = await third.message("ready")
        assert ready["offset"] == ready["live"] == len(b"ready> ")
        await third.type(b"exit\n")
        await third.closed()
        assert b"ready> " not in third.output


async def test_term_8_nonsense_sizes_change_nothing_and_are_never_typed(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "PS1='> ' exec sh -i")
    async with attached(server, owner, weaver) as terminal:
        await terminal.tell("resize", cols=81, rows=25)
        for cols in (0, -1, 1001, 65536, "80", 80.5, None, True):
            await terminal.tell("resize", cols=cols, rows=24)
        await terminal.tell("resize", rows=24)
        await terminal.type(b"stty size; exit\n")
        assert await terminal.closed() == (1000, "exited 0")
        assert b"\n25 81\r\n" in terminal.output
        assert b"resize" not in terminal.output


async def test_a_terminal_begins_at_80_by_24(server: RunningServer, owner: Person, create: Create) -> None:
    weaver = shell(create, "stty size; sleep 60")
    async with attached(server, owner, weaver) as terminal:
        await terminal.until(b"24 80\r\n")


async def test_term_9_a_long_reason_is_cut_at_a_character(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = create(image="shell", command=["/" + "é" * 150])["id"]
    wait_for(lambda: owner.http.get(f"/api/weaver/{weaver}").json()["status"] == "failed", "the end")
    async with attached(server, owner, weaver) as terminal:
        code, reason = await terminal.closed()
        assert code == 4409
        assert 100 < len(reason.encode()) <= 123


async def test_an_ended_weaver_shows_its_scrollback_and_4409(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "echo last words; exit 7")
    wait_for(lambda: owner.http.get(f"/api/weaver/{weaver}").json()["status"] == "failed", "the end")
    for v1 in (False, True):
        async with attached(server, owner, weaver, v1=v1) as terminal:
            code, reason = await terminal.closed()
            assert (code, terminal.output) == (4409, b"last words\r\n")
            assert "7" in reason
            exits = [message for message in terminal.messages if message["type"] == "exit"]
            assert [(message["code"], message["reason"]) for message in exits] == (
                [(7, "Error")] if v1 else []
            )


async def test_a_weaver_deleted_while_attached_closes_with_4409(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "echo up; sleep 600")
    async with attached(server, owner, weaver) as terminal:
        await terminal.until(b"up")
        assert (await asyncio.to_thread(owner.http.delete, f"/api/weaver/{weaver}")).status_code == 204
        code, reason = await terminal.closed()
        assert code == 4409
        assert reason.startswith("Deleted")


async def test_no_such_weaver_and_no_access(server: RunningServer, people: People, create: Create) -> None:
    weaver = shell(create, "sleep 600")
    for person, target, code in (
        (people.owner, "weaver_nosuchweaver0000", 4404),
        (people.owner, "weaver_" + "a" * 300, 4404),
        (people.member, weaver, 4403),
        (people.other, weaver, 4403),
    ):
        async with attached(server, person, target) as terminal:
            assert (await terminal.closed())[0] == code
            assert terminal.output == b""


@pytest.mark.parametrize(
    "first",
    [
        b"ls\n",
        "ls\n",
        '{"type":"auth"}',
        '{"type":"auth","token":"ws_wrong"}',
        "x" * 1_048_576,
        b"x" * 1_048_576,
    ],
    ids=["binary", "text", "no token", "wrong token", "1 MiB of text", "1 MiB"],
)
async def test_auth_4_a_bad_first_message_is_4401_without_a_byte_before(
    server: RunningServer, owner: Person, create: Create, first: str | bytes
) -> None:
    weaver = shell(create, "echo secret; sleep 600")
    async with opened(server, weaver) as terminal:
        await terminal.type(first)
        code, reason = await terminal.closed()
        assert (code, terminal.output, terminal.messages) == (4401, b"", [])
        assert reason
    assert owner.http.get(f"/api/weaver/{weaver}").json()["viewers"] == 0


async def test_auth_4_a_token_is_good_once(server: RunningServer, owner: Person, create: Create) -> None:
    weaver = shell(create, "echo up; sleep 600")
    token = ws_token(owner)
    async with opened(server, weaver) as first, opened(server, weaver) as second:
        await first.tell("auth", token=token)
        await first.until(b"up")
        await second.tell("auth", token=token)
        assert (await second.closed())[0] == 4401


async def test_auth_4_silence_is_4408(server: RunningServer, create: Create) -> None:
    weaver = shell(create, "sleep 600")
    async with opened(server, weaver) as first, opened(server, weaver) as second:
        assert (await first.closed())[0] == 4408
        assert (await second.closed())[0] == 4408


async def test_auth_1_pages_of_other_origins_are_refused_before_the_upgrade(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "echo up; sleep 600")
    own = server.url.partition("/a%40b")[0]
    headers = {"Authorization": "token " + "token-of-the-test-server"}
    for origin in (
        "https://evil.example",
        "null",
        own + ".evil.example",
        own[:-1] + "0",
        own.replace("http", "https"),
    ):
        with pytest.raises(InvalidStatus) as refused:
            async with opened(server, weaver, origin=origin, additional_headers=headers):
                pass
        assert refused.value.response.status_code == 403
        assert b'"forbidden"' in (refused.value.response.body or b"")
    forwarded = {**headers, "X-Forwarded-Host": "evil.example"}
    with pytest.raises(InvalidStatus) as refused:
        async with opened(server, weaver, origin="https://evil.example", additional_headers=forwarded):
            pass
    assert refused.value.response.status_code == 403
    for passing in (own, None):
        async with attached(server, owner, weaver, origin=passing) as terminal:
            await terminal.until(b"up")


async def test_a_plain_request_is_told_that_this_is_a_websocket(owner: Person, create: Create) -> None:
    weaver = shell(create, "sleep 600")
    reply = owner.http.get(f"/api/weaver/{weaver}/attach")
    assert (reply.status_code, reply.json()["error"]) == (400, "bad_request")


@pytest.mark.parametrize("query", ["?scrollback=maybe", "?since=5", "?since=e:-1", "?since=e:x", "?foo=1"])
async def test_a_bad_query_is_400_before_the_upgrade(
    server: RunningServer, create: Create, query: str
) -> None:
    weaver = shell(create, "sleep 600")
    with pytest.raises(InvalidStatus) as refused:
        async with opened(server, weaver, query):
            pass
    assert refused.value.response.status_code == 400


async def test_what_is_sent_right_behind_the_first_message_arrives_in_order(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "stty raw -echo; head -c 200000 | sha256sum; sleep 60")
    data = os.urandom(200_000)
    async with opened(server, weaver) as terminal:
        await terminal.tell("auth", token=ws_token(owner))
        for start in range(0, len(data), 5_000):
            await terminal.type(data[start : start + 5_000])
        await terminal.until(hashlib.sha256(data).hexdigest().encode())


async def test_auth_7_read_only_looks_and_nothing_else(
    server: RunningServer, people: People, create: Create
) -> None:
    weaver = shell(create, "PS1='> ' exec sh -i")
    async with (
        attached(server, people.owner, weaver) as owner,
        attached(server, people.support, weaver) as support,
        attached(server, people.support, weaver, v1=True) as modern,
    ):
        await owner.tell("resize", cols=90, rows=30)
        await owner.until(b"> ")
        await support.until(b"> ")
        assert support.output.startswith(NOTICE)
        ready = await modern.message("ready")
        assert (ready["access"], ready["primary"], modern.output) == ("read_only", False, NOTICE)
        for terminal in (support, modern):
            await terminal.type("touch /tmp/x\n")
            await terminal.type(b"touch /tmp/x\n")
            await terminal.tell("resize", cols=10, rows=5)
        await modern.tell("ping")
        await modern.message("pong")
        await owner.type(b"stty size; ls /tmp/x; echo done-$((1+1))\n")
        await owner.until(b"done-2")
        await support.until(b"done-2")
        assert b"30 90" in owner.output
        assert b"cannot access" in owner.output
    for method, path, body in (
        ("POST", "/exec", {"command": ["true"]}),
        ("PUT", "/files?path=x", None),
        ("PATCH", "", {"lifetime_hours": 2}),
        ("DELETE", "", None),
    ):
        reply = people.support.http.request(method, f"/api/weaver/{weaver}{path}", json=body)
        assert reply.status_code == 403


async def test_several_viewers_see_the_same_and_the_smallest_size_counts(
    server: RunningServer, people: People, create: Create
) -> None:
    weaver = shell(create, "PS1='> ' exec sh -i")
    async with attached(server, people.owner, weaver, v1=True) as first:
        ready = await first.message("ready")
        assert (ready["access"], ready["primary"], ready["cols"], ready["rows"]) == ("full", True, 80, 24)
        await first.tell("resize", cols=120, rows=20)
        async with attached(server, people.admin, weaver, v1=True) as second:
            assert (await second.message("ready"))["primary"] is False
            await second.tell("resize", cols=100, rows=50)
            await second.type(b"stty size\n")
            await first.until(b"20 100\r\n")
            await second.until(b"20 100\r\n")
            assert people.owner.http.get(f"/api/weaver/{weaver}").json()["viewers"] == 2
            names = {viewer["user"]["id"]: viewer for viewer in (await first.message("presence"))["viewers"]}
            assert set(names) == {people.owner.id, people.admin.id}
            assert names[people.admin.id]["primary"]
            assert not names[people.owner.id]["primary"]
        await first.until(lambda: any(len(message.get("viewers", "..")) == 1 for message in first.messages))
        await first.type(b"stty size\n")
        await first.until(b"20 120\r\n")
    wait_for(lambda: people.owner.http.get(f"/api/weaver/{weaver}").json()["viewers"] == 0, "nobody to watch")
    assert people.owner.http.get(f"/api/weaver/{weaver}").json()["status"] == "running"


async def test_v1_resumes_where_it_was_and_learns_of_another_epoch(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "PS1='> ' exec sh -i")
    async with attached(server, owner, weaver, v1=True) as terminal:
        ready = await terminal.message("ready")
        await terminal.type(b"echo one\n")
        await terminal.until(b"one\r\none\r\n> ")
        seen = ready["offset"] + len(terminal.output)
    async with attached(server, owner, weaver) as other:
        await other.type(b"echo two\n")
        await other.until(b"two\r\ntwo\r\n> ")
    async with attached(server, owner, weaver, f"?since={ready['epoch']}:{seen}", v1=True) as again:
        assert (await again.message("ready"))["offset"] == seen
        assert await again.until(b"two\r\n> ") == b"echo two\r\ntwo\r\n> "
        assert not [message for message in again.messages if message["type"] == "gap"]
    async with attached(server, owner, weaver, f"?since=another:{seen}", v1=True) as stranger:
        assert (await stranger.message("gap"))["bytes"] is None
        await stranger.until(b"one\r\n")


async def test_term_13_text_of_a_v1_client_is_never_typed(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "stty -echo; echo ready; exec cat")
    async with attached(server, owner, weaver, v1=True) as terminal:
        await terminal.until(b"ready\r\n")
        await terminal.type("typed as text\n")
        await terminal.tell("unknown", x=1)
        await terminal.type(b'{"type":"resize","cols":10,"rows":5}\n')
        await terminal.until(b"rows")
        assert terminal.output == b'ready\r\n{"type":"resize","cols":10,"rows":5}\r\n'


async def test_v1_acks_hold_the_terminal_back_and_nobody_else(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "stty -opost; read go; yes 0123456789 | head -c 6000000; sleep 60")
    async with attached(server, owner, weaver, v1=True) as slow, attached(server, owner, weaver) as fast:
        await slow.message("ready")
        await slow.tell("ack", bytes=1)
        await fast.type(b"go\n")
        await fast.until(lambda: len(fast.output) >= 6_000_000)
        got = len(slow.output)
        while got < 6_000_000:
            await slow.until_longer(got)
            assert len(slow.output) - got <= 1024 * 1024 + 512 * 1024
            await slow.tell("ack", bytes=len(slow.output) - got)
            got = len(slow.output)
        assert slow.output.count(b"0123456789\n") == fast.output.count(b"0123456789\n")


@pytest.mark.slow
async def test_term_11_a_viewer_that_never_reads_is_closed_and_the_other_goes_on(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "read go; yes; sleep 60")
    async with (
        attached(server, owner, weaver, max_queue=1, ping_interval=None) as sleeper,
        attached(server, owner, weaver) as reader,
    ):
        before = _memory_of(server)
        await reader.type(b"go\n")
        size = 0
        for _ in range(400):
            reader.output = b""
            await reader.until_longer(100_000)
            size += len(reader.output)
        assert _memory_of(server) - before < 64 * 1024 * 1024
        await reader.type(b"\x03")
        assert (await sleeper.closed())[0] == 4429
        assert size > 40_000_000
        assert await reader.closed() == (1000, "exited 130")


class CountsPings(ClientConnection):
    pings = 0

    def process_event(self, event: Event) -> None:
        self.pings += isinstance(event, Frame) and event.opcode is Opcode.PING
        super().process_event(event)


@pytest.mark.slow
async def test_a_terminal_is_pinged_and_closed_when_its_key_is_revoked(
    server: RunningServer, people: People, create: Create
) -> None:
    weaver = shell(create, "echo up; exec sleep 600")
    key = await asyncio.to_thread(
        server.with_store, lambda store: store.keys.create(people.owner.id, "short")
    )
    with server.http(f"Bearer {key.key}") as http:
        holder = Person(people.owner.id, "owner", key.key, http)
        async with (
            attached(server, holder, weaver) as terminal,
            attached(server, people.owner, weaver, create_connection=CountsPings) as other,
        ):
            await terminal.until(b"up")
            await asyncio.to_thread(server.with_store, lambda store: store.keys.revoke(key.id))
            await asyncio.wait_for(terminal.socket.wait_closed(), 45)
            assert terminal.socket.close_code == 4403
            await other.type(b"x")
            await other.until(b"up\r\nx")
            assert isinstance(other.socket, CountsPings)
            assert other.socket.pings == 1


def _memory_of(server: RunningServer) -> int:
    with open(f"/proc/{server.process.pid}/status") as status:
        found = re.search(r"VmRSS:\s+(\d+) kB", status.read())
    assert found is not None
    return int(found[1]) * 1024


async def test_a_server_that_stops_says_so_and_the_weaver_goes_on(start_server: Any, tmp_path: Any) -> None:
    with start_server() as first:
        people = await asyncio.to_thread(first.add_people)
        body = {"image": "shell", "org_id": people.org_id, "command": ["sh", "-c", "echo up; exec cat"]}
        weaver = people.owner.http.post("/api/weaver", json=body).json()["id"]
        async with attached(first, people.owner, weaver, v1=True) as terminal:
            ready = await terminal.message("ready")
            await terminal.until(b"up\r\n")
            stopping = asyncio.create_task(asyncio.to_thread(first.stop))
            assert (await terminal.closed())[0] == 1012
            await stopping
    with start_server() as second:
        person = Person("", "owner", people.owner.key, second.http(f"Bearer {people.owner.key}"))
        async with attached(second, person, weaver, f"?since={ready['epoch']}:4", v1=True) as terminal:
            assert (await terminal.message("ready"))["epoch"] == ready["epoch"]
            await terminal.type(b"still there\n")
            await terminal.until(b"still there\r\nstill there\r\n")
            assert not terminal.output.startswith(b"up")
        second.delete_all_weavers()
