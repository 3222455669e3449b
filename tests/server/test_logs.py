"""A weaver's log as a browser reads it, over a real connection."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from tests.server.log_streams import ended, following, lines, take, url, whole
from tests.server.running import People, Person, RunningServer, wait_for
from tests.server.terminals import shell
from tests.sse_reader import EventParser, parse_events, read_events

Create = Callable[..., dict[str, Any]]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z ")


def test_log_1_a_character_is_never_cut(owner: Person, create: Create) -> None:
    weaver = shell(create, "python3 -c \"print('a' + '世'*20000)\"")
    assert lines(whole(owner, weaver)) == ["a" + "世" * 20000]


def test_log_2_bytes_that_are_no_utf_8(owner: Person, create: Create) -> None:
    weaver = shell(create, "printf 'ok\\n\\324\\nafter\\n'")
    assert lines(whole(owner, weaver)) == ["ok", "\N{REPLACEMENT CHARACTER}", "after"]


@pytest.mark.parametrize("timestamps", ["true", "false"])
def test_log_3_empty_lines_stay(owner: Person, create: Create, timestamps: str) -> None:
    weaver = shell(create, "printf 'a\\n\\n\\nb\\n'")
    events = whole(owner, weaver, f"timestamps={timestamps}")[:-1]
    assert len({event.id for event in events}) == 4
    texts = [TIME.sub("", event.data, count=1) for event in events]
    assert texts == ["a", "", "", "b"]
    assert all(bool(TIME.match(event.data)) == (timestamps == "true") for event in events)


def test_log_4_a_long_line_is_one_event_with_one_time(owner: Person, create: Create) -> None:
    weaver = shell(create, "head -c 40000 /dev/zero | tr '\\0' A; echo; echo B")
    first, second, end = whole(owner, weaver, "timestamps=true&tail=1000")
    assert TIME.sub("", first.data, count=1) == "A" * 40000
    assert TIME.sub("", second.data, count=1) == "B"
    assert end.kind == "end"


def test_a_line_of_more_than_a_mebibyte_comes_in_pieces_of_one(owner: Person, create: Create) -> None:
    weaver = shell(create, "head -c 2500000 /dev/zero | tr '\\0' A; echo; echo B")
    *pieces, last, _ = whole(owner, weaver, "timestamps=true&tail=1000")
    assert [bool(TIME.match(piece.data)) for piece in pieces] == [True, False, False]
    assert [len(TIME.sub("", piece.data)) for piece in pieces] == [1048576, 1048576, 2500000 - 2 * 1048576]
    assert TIME.sub("", last.data) == "B"


def test_log_5_a_progress_bar_is_one_event(owner: Person, create: Create) -> None:
    weaver = shell(create, "printf 'p 1%%\\rp 2%%\\rp 3%%\\ndone\\n'")
    first, second, _ = whole(owner, weaver)
    assert first.data.split("\n") == ["p 1%", "p 2%", "p 3%"]
    assert second.data == "done"


def test_log_7_the_last_line_without_a_newline(owner: Person, create: Create) -> None:
    wanted = [str(number) for number in range(1, 5001)] + ["end"]
    for _ in range(10):
        weaver = shell(create, "seq 1 5000; printf end")
        events = whole(owner, weaver)
        assert lines(events) == wanted
        assert events[-1].kind == "end"
        assert json.loads(events[-1].data) == {"status": "succeeded", "exit_code": 0, "reason": "Completed"}


def test_life_1_the_stream_opens_at_once_and_starts_with_the_container(owner: Person, create: Create) -> None:
    weaver = shell(create, "echo first; sleep 600")
    with following(owner, weaver) as events:
        assert TIME.sub("", next(events).data) == "first"


def test_life_1_a_delete_ends_the_stream(owner: Person, create: Create) -> None:
    weaver = shell(create, "echo up; sleep 600")
    with following(owner, weaver, "timestamps=false") as events:
        assert next(events).data == "up"
        assert owner.http.delete(f"/api/weaver/{weaver}").status_code == 204
        end = list(events)[-1]
    assert end.kind == "end"
    assert json.loads(end.data)["reason"] == "Deleted"
    assert json.loads(end.data)["status"] == "terminating"


@pytest.mark.slow
def test_life_2_silent_weavers_hold_nobody_up(server: RunningServer, owner: Person, create: Create) -> None:
    weaver = shell(create, "exec sleep 600")
    with ExitStack() as stack:
        http = stack.enter_context(server.http(f"Bearer {owner.key}"))
        replies = [stack.enter_context(http.stream("GET", url(weaver))) for _ in range(30)]
        assert {reply.status_code for reply in replies} == {200}
        assert owner.http.get("/api/weavers").status_code == 200
        assert owner.http.get("/health").status_code == 200
        opened = time.monotonic()
        for reply in replies:
            parser = EventParser()
            for chunk in reply.iter_raw():
                assert not list(parser.feed(chunk))
                if parser.comments:
                    break
        assert time.monotonic() - opened < 20


@pytest.mark.parametrize(
    ("query", "first"), [("tail=200", "801"), ("", "745"), ("tail=5000", "1"), ("tail=1", "1000")]
)
def test_life_5_tail_counts_lines(owner: Person, create: Create, query: str, first: str) -> None:
    weaver = shell(create, "seq 1 1000; sleep 600")
    wait_for(
        lambda: owner.http.get(url(weaver, "follow=false&tail=1&timestamps=false")).text.endswith(
            "data: 1000\n\n"
        ),
        "all lines",
    )
    events = parse_events(owner.http.get(url(weaver, f"timestamps=false&follow=false&{query}")).content)
    assert lines(events) == [str(number) for number in range(int(first), 1001)]
    assert events[-1].kind == "message"


def test_life_5_tail_0_means_only_new_lines(owner: Person, create: Create) -> None:
    weaver = shell(create, "echo old; until [ -e ~/go ]; do sleep 0.05; done; echo new; sleep 600")
    wait_for(lambda: "old" in owner.http.get(url(weaver, "follow=false")).text, "the old line")
    with following(owner, weaver, "tail=0&timestamps=false") as events:
        owner.http.post(f"/api/weaver/{weaver}/exec", json={"command": ["sh", "-c", "touch ~/go"]})
        assert next(events).data == "new"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("tail=-1", "tail"),
        ("tail=1.5", "tail"),
        ("tail=abc", "tail"),
        ("tail=99999999999999999999", "tail"),
        ("tail=", "tail"),
        ("tail=1&tail=2", "tail"),
        ("timestamps=yes", "timestamps"),
        ("follow=2", "follow"),
        ("since=yesterday", "since"),
        ("since=2026-03-03", "since"),
        ("since=2026-03-03T12:00:00", "since"),
        ("head=1", "head"),
    ],
)
def test_a_bad_query_is_named(owner: Person, create: Create, query: str, field: str) -> None:
    reply = owner.http.get(url("weaver_a", query))
    assert (reply.status_code, reply.json()["error"]) == (400, "bad_request")
    assert reply.json()["details"][0]["field"] == field


def test_no_such_weaver(owner: Person) -> None:
    assert owner.http.get(url("weaver_nosuchweaver")).status_code == 404


def test_since_begins_at_a_time_and_tail_counts_from_the_end_of_that(owner: Person, create: Create) -> None:
    weaver = shell(create, "seq 1 300; sleep 1; seq 301 600")
    events = whole(owner, weaver, "tail=100000")
    moment = events[300].data.partition(" ")[0]
    after = whole(owner, weaver, f"timestamps=false&since={moment}")
    assert lines(after) == [str(number) for number in range(301, 601)]
    last = whole(owner, weaver, f"timestamps=false&since={moment}&tail=2")
    assert lines(last) == ["599", "600"]
    assert lines(whole(owner, weaver, "timestamps=false&since=2020-01-01T00:00:00Z")) == [
        str(number) for number in range(1, 601)
    ]


def test_sse_1_output_forges_no_event(owner: Person, create: Create) -> None:
    script = 'printf \'x\\revent: end\\rdata: {"status":"failed"}\\r\\rid: 7\\nlast\\n\'; sleep 1'
    first, last, end = whole(owner, shell(create, script))
    assert first.data == 'x\nevent: end\ndata: {"status":"failed"}\n\nid: 7'
    assert (last.data, last.kind) == ("last", "message")
    assert (end.kind, json.loads(end.data)["status"]) == ("end", "succeeded")
    assert "7" not in (first.id, last.id, end.id)


def test_sse_2_nothing_between_holds_events_back(
    start_server: Callable[..., Any],
) -> None:
    """Also where the server compresses its answers."""
    with start_server(config="c.ServerApp.tornado_settings = {'compress_response': True}") as server:
        people: People = server.add_people()
        body = {"image": "shell", "org_id": people.org_id, "command": ["sh", "-c", "echo one; sleep 600"]}
        weaver = people.owner.http.post("/api/weaver", json=body).json()["id"]
        headers = {"Accept-Encoding": "gzip, br"}
        with people.owner.http.stream("GET", url(weaver), headers=headers) as reply:
            assert reply.headers["Content-Type"].startswith("text/event-stream")
            assert reply.headers["Cache-Control"] == "no-store"
            assert reply.headers["X-Accel-Buffering"] == "no"
            assert "Content-Encoding" not in reply.headers
            assert next(read_events(reply.iter_raw())).data.endswith(" one")
        server.delete_all_weavers()


def test_sse_3_a_reconnect_goes_on_where_it_was(owner: Person, create: Create) -> None:
    weaver = shell(create, "seq 1 1000; sleep 600")
    with following(owner, weaver, "timestamps=false&tail=1000") as events:
        first = take(events, 100)
    with following(owner, weaver, "timestamps=false&tail=256", **{"Last-Event-ID": first[-1].id}) as events:
        rest = take(events, 900)
    assert [event.data for event in first + rest] == [str(number) for number in range(1, 1001)]


def test_an_id_that_was_never_given_counts_as_none(owner: Person, create: Create) -> None:
    weaver = shell(create, "seq 1 1000")
    ended(owner, weaver)
    for unknown in ("x", "-1", "99999999999999999999", "1"):
        events = whole(owner, weaver, "timestamps=false", **{"Last-Event-ID": unknown})
        assert lines(events) == [str(number) for number in range(745, 1001)]


def test_the_end_that_was_seen_is_204(owner: Person, create: Create) -> None:
    weaver = shell(create, "echo a")
    end = whole(owner, weaver)[-1]
    reply = owner.http.get(url(weaver), headers={"Last-Event-ID": end.id})
    assert (reply.status_code, reply.content) == (204, b"")


def test_a_reader_that_pauses_loses_nothing(owner: Person, create: Create) -> None:
    """More than the sockets between hold."""
    weaver = shell(create, "seq 1 400000")
    with owner.http.stream("GET", url(weaver, "timestamps=false&tail=1000000")) as reply:
        chunks = reply.iter_raw()
        parser = EventParser()
        events = list(parser.feed(next(chunks)))
        ended(owner, weaver)
        for chunk in chunks:
            events += parser.feed(chunk)
    assert lines(events) == [str(number) for number in range(1, 400001)]


@pytest.mark.slow
def test_sse_4_readers_that_went_away_leave_nothing(
    server: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, "exec sleep 600")
    owner.http.get("/health")
    before = _descriptors(server)
    for _ in range(2):
        clients = [_raw_reader(server, owner, weaver) for _ in range(50)]
        for number, client in enumerate(clients):
            if number % 2:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()
        wait_for(lambda: _descriptors(server) <= before + 2, "the readers to be gone")
    assert "Traceback" not in server.log()


def _raw_reader(server: RunningServer, person: Person, weaver: str) -> socket.socket:
    """A client whose stream has begun."""
    place = httpx.URL(server.url)
    client = socket.create_connection((place.host, place.port))
    request = f"GET {place.raw_path.decode()}{url(weaver)} HTTP/1.1\r\nHost: {place.host}:{place.port}\r\n"
    client.sendall(f"{request}Authorization: Bearer {person.key}\r\n\r\n".encode())
    assert client.recv(12) == b"HTTP/1.1 200"
    return client


def _descriptors(server: RunningServer) -> int:
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


@pytest.mark.slow
def test_a_stream_ends_when_its_key_is_revoked(server: RunningServer, people: People, create: Create) -> None:
    weaver = shell(create, "echo up; exec sleep 600")
    key = server.with_store(lambda store: store.keys.create(people.owner.id, "short"))
    with server.http(
        f"Bearer {key.key}",
    ) as http:
        with http.stream("GET", url(weaver), timeout=60) as reply:
            events = read_events(reply.iter_raw())
            next(events)
            server.with_store(lambda store: store.keys.revoke(key.id))
            assert list(events) == []
        assert http.get(url(weaver)).status_code == 401
