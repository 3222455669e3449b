"""Logs across a restart of the server."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

from tests.server.log_streams import following, take
from tests.server.running import RunningServer

StartServer = Callable[..., AbstractContextManager[RunningServer]]
QUERY = "timestamps=false&tail=1000"


def test_sse_3_a_reader_goes_on_where_it_was_before_the_restart(start_server: StartServer) -> None:
    with start_server() as server:
        people = server.add_people()
        body = {
            "image": "shell",
            "org_id": people.org_id,
            "command": ["sh", "-c", "seq 1 1000; exec sleep 600"],
        }
        weaver = people.owner.http.post("/api/weaver", json=body).json()["id"]
        with following(people.owner, weaver, QUERY) as events:
            first = take(events, 100)
    with start_server() as server, server.http(f"Bearer {people.owner.key}") as http:
        owner = replace(people.owner, http=http)
        with following(owner, weaver, QUERY, **{"Last-Event-ID": first[-1].id}) as events:
            rest = take(events, 900)
        assert [event.data for event in first + rest] == [str(number) for number in range(1, 1001)]
        server.delete_all_weavers()
