"""Reading a weaver's log stream as its clients do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.server.running import Person, wait_for
from tests.sse_reader import Event, read_events

Create = Callable[..., dict[str, Any]]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z ")


def url(weaver: str, query: str = "") -> str:
    return f"/api/weaver/{weaver}/logs?{query}"


@contextmanager
def following(person: Person, weaver: str, query: str = "", **headers: str) -> Iterator[Iterator[Event]]:
    with person.http.stream("GET", url(weaver, query), headers=headers) as reply:
        assert reply.status_code == 200, reply.read()
        yield read_events(reply.iter_raw())


def whole(
    person: Person, weaver: str, query: str = "timestamps=false&tail=100000", **headers: str
) -> list[Event]:
    """All events to the end of the weaver."""
    with following(person, weaver, query, **headers) as events:
        return list(events)


def lines(events: list[Event]) -> list[str]:
    return [event.data for event in events if event.kind == "message"]


def ended(person: Person, weaver: str) -> None:
    wait_for(
        lambda: person.http.get(f"/api/weaver/{weaver}").json()["status"] in ("succeeded", "failed"),
        "the weaver to end",
    )


def take(events: Iterator[Event], count: int) -> list[Event]:
    return [next(events) for _ in range(count)]
