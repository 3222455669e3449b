"""Who gets at a weaver's terminal: tokens, origins, roles, and a key that is revoked meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.protocol import Event

from tests.server.running import People, Person, RunningServer
from tests.server.terminals import attached, opened, shell, ws_token

Create = Callable[..., dict[str, Any]]
NOTICE = b"*** Read-only access: You can view output but cannot send input ***\r\n"


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


async def test_auth_7_a_terminals_answer_comes_from_who_may_type(
    server: RunningServer, people: People, create: Create
) -> None:
    """Every terminal answers a query for its attributes by itself; the program is to hear one."""
    weaver = shell(create, "stty raw -echo; printf '\\033[c'; head -c 7 | od -An -tx1; head -c 3; sleep 60")
    answer = b"\x1b[?1;2c"
    async with (
        attached(server, people.owner, weaver) as owner,
        attached(server, people.support, weaver, v1=True) as support,
    ):
        await owner.until(b"\x1b[c")
        await support.until(b"\x1b[c")
        await support.type(answer)
        await support.tell("ping")
        await support.message("pong")
        await owner.type(answer)
        await owner.type(b"END")
        await owner.until(b"1b 5b 3f 31 3b 32 63")
        await owner.until(b"END")


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
