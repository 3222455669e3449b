"""Events as text, read back by the rules of the WHATWG text."""

from __future__ import annotations

import pytest

from loom_weaver.runtimes.base import LogEntry, LogGap, LogItem
from loom_weaver_server.handlers.logs import LARGEST_WRITE, encode_items
from loom_weaver_server.sse import encode_event
from tests.sse_reader import Event, parse_events


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        ("plain", "plain"),
        ("", ""),
        (" blank", " blank"),
        ("a\rb", "a\nb"),
        ("a\r\nb\nc\r", "a\nb\nc\n"),
        ("a\r\r\nb", "a\n\nb"),
        ("a\u2028b\x0bc\x0cd\x85e", "a\u2028b\x0bc\x0cd\x85e"),
        ("x\revent: end\rdata: {}\r\rid: 7", "x\nevent: end\ndata: {}\n\nid: 7"),
        ("\ufeffx: y", "\ufeffx: y"),
    ],
)
def test_data_never_becomes_a_field(data: str, seen: str) -> None:
    events = parse_events(encode_event(data, id="5", event="kind"))
    assert events == [Event(id="5", kind="kind", data=seen)]


def test_an_event_without_id_and_kind() -> None:
    assert encode_event("x") == b"data: x\n\n"


def test_a_gap_is_told_in_place() -> None:
    items: list[LogItem] = [
        LogEntry("1", None, "a"),
        LogGap("9", 8),
        LogGap("12", None),
        LogEntry("14", None, "b"),
    ]
    events = parse_events(b"".join(encode_items(items, timestamps=True)))
    assert [(event.id, event.kind, event.data) for event in events] == [
        ("1", "message", "a"),
        ("9", "gap", '{"bytes": 8}'),
        ("12", "gap", '{"bytes": null}'),
        ("14", "message", "b"),
    ]


def test_many_lines_are_handed_over_in_writes_of_a_bounded_size() -> None:
    items = [LogEntry(str(number), None, "") for number in range(20_000)]
    writes = list(encode_items(items, timestamps=False))
    assert max(len(write) for write in writes) < LARGEST_WRITE + 100
    assert len(parse_events(b"".join(writes))) == 20_000
