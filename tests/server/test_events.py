"""The event stream of all weavers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.server.event_reader import Event, read_events
from tests.server.running import People, Person, RunningServer

Create = Callable[..., dict[str, Any]]


@contextmanager
def following(person: Person, last_event_id: str | None = None) -> Iterator[Iterator[Event]]:
    headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
    with person.http.stream("GET", "/api/weavers/events", headers=headers) as reply:
        assert reply.status_code == 200
        assert reply.headers["Content-Type"] == "text/event-stream"
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["X-Accel-Buffering"] == "no"
        assert "Content-Encoding" not in reply.headers
        yield read_events(reply.iter_raw())


def until(events: Iterator[Event], last: Callable[[Event], bool]) -> list[Event]:
    seen = []
    for event in events:
        seen.append(event)
        if last(event):
            return seen
    raise AssertionError(f"the stream ended after {seen}")


def is_ready(event: Event) -> bool:
    return event.event == "ready"


def ids(events: list[Event], kind: str) -> list[str]:
    return [json.loads(event.data)["id"] for event in events if event.event == kind]


def test_first_the_present_list_then_ready(people: People, create: Create) -> None:
    present = [create()["id"] for _ in range(3)]
    with following(people.owner) as events:
        listed = until(events, is_ready)
    assert set(present) <= set(ids(listed, "added"))
    assert listed[-1].event == "ready"
    assert {event.event for event in listed} == {"added", "ready"}


def test_a_weavers_life(people: People, create: Create) -> None:
    with following(people.owner) as events:
        until(events, is_ready)
        weaver = create(command=["sh", "-c", "read line; exit 3"])

        def of_it(text: str) -> Callable[[Event], bool]:
            return lambda event: weaver["id"] in event.data and text in event.data

        started = until(events, of_it('"status":"running"'))
        assert ids(started, "added") == [weaver["id"]]
        path = f"/api/weaver/{weaver['id']}"
        assert people.owner.http.patch(path, json={"lifetime_hours": 3}).status_code == 200
        extended = until(events, of_it('"lifetime_hours":3'))
        assert extended[-1].event == "modified"
        assert people.owner.http.delete(path).status_code == 204
        ending = until(events, of_it('"status":"terminating"'))
        ended = until(events, lambda event: event.event == "deleted" and weaver["id"] in event.data)
    assert "deleted" not in [event.event for event in ending if weaver["id"] in event.data]
    assert people.owner.http.get(path).status_code == 404
    numbers = [int(event.id.partition(":")[2]) for event in (*started, *extended, *ending, *ended)]
    assert numbers == sorted(set(numbers))


def test_the_object_is_that_of_get(people: People, create: Create) -> None:
    weaver = create(tags={"k": "v"})
    with following(people.owner) as events:
        listed = until(events, is_ready)
    told = next(json.loads(event.data) for event in listed if weaver["id"] in event.data)
    assert told.keys() == people.owner.http.get(f"/api/weaver/{weaver['id']}").json().keys()
    assert told["tags"] == {"k": "v"}


@pytest.mark.parametrize(
    ("role", "sees"),
    [("owner", True), ("member", False), ("admin", True), ("support", True), ("other", False)],
)
def test_who_sees_what(people: People, create: Create, role: str, sees: bool) -> None:
    person = people.all()[role]
    with following(person) as events:
        until(events, is_ready)
        weaver = create()
        # The end of one's own weaver comes after all that was to be seen before.
        own = create(people.other if role == "other" else person)
        seen = until(events, lambda event: own["id"] in event.data)
    assert (weaver["id"] in ids(seen, "added")) is sees


def test_resume(people: People, create: Create) -> None:
    with following(people.owner) as events:
        last = until(events, is_ready)[-1]
    missed = create()
    with following(people.owner, last.id) as events:
        seen = until(events, lambda event: missed["id"] in event.data)
    assert [event.event for event in seen if missed["id"] in event.data] == ["added"]
    assert "ready" not in [event.event for event in seen]


@pytest.mark.slow
def test_a_revoked_key_ends_the_stream_within_half_a_minute(server: RunningServer, people: People) -> None:
    key = server.with_store(lambda store: store.keys.create(people.other.id, "to be revoked"))
    other = replace(people.other, key=key.key, http=server.http(f"Bearer {key.key}"))
    with following(other) as events:
        until(events, is_ready)
        server.with_store(lambda store: store.keys.revoke(key.id))
        started = time.monotonic()
        assert list(events) == []
        assert time.monotonic() - started < 45


def test_no_resume_without_the_history(people: People, create: Create) -> None:
    weaver = create()
    with following(people.owner) as events:
        half = next(events)
        epoch = half.id.partition(":")[0]
    for last_event_id in ("", "nonsense", "00000000:1", f"{epoch}:999999999", f"{epoch}:-1", half.id):
        with following(people.owner, last_event_id) as events:
            listed = until(events, is_ready)
        assert [listed[0].event, listed[-1].event] == ["reset", "ready"], last_event_id
        assert weaver["id"] in ids(listed, "added")
