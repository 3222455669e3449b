"""The reader of server-sent events, against the words of the standard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom_weaver.client import NotALoomServer
from loom_weaver.client.sse import EventParser, ServerEvent
from loom_weaver_server.sse import encode_event

# https://html.spec.whatwg.org/multipage/server-sent-events.html, 9.2.6
EXAMPLES = [
    (b"data: YHOO\ndata: +2\ndata: 10\n\n", [("", "message", "YHOO\n+2\n10")]),
    (
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        [("1", "message", "first event"), ("", "message", "second event"), ("", "message", " third event")],
    ),
    (b"data\n\ndata\ndata\n\ndata:", [("", "message", ""), ("", "message", "\n")]),
    (b"data:test\n\ndata: test\n\n", [("", "message", "test"), ("", "message", "test")]),
    (b"\xef\xbb\xbfdata: bom\n\n", [("", "message", "bom")]),
    (b"event: end\ndata: {}\nretry: 5\n\n", [("", "end", "{}")]),
    (b"event: unsaid\n\ndata: said\n\n", [("", "message", "said")]),
    (b"id: a\x00b\ndata: x\n\n", [("", "message", "x")]),
    (b"data: \xff\n\n", [("", "message", "\ufffd")]),
]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize(("stream", "events"), EXAMPLES)
def test_the_standards_examples_however_they_are_cut(
    stream: bytes, events: list[tuple[str, str, str]], line_end: bytes
) -> None:
    sent = stream.replace(b"\n", line_end)
    expected = [ServerEvent(*event) for event in events]
    for size in (1, 2, 3, len(sent)):
        parser = EventParser()
        told = [event for at in range(0, len(sent), size) for event in parser.feed(sent[at : at + size])]
        assert told == expected


@given(st.text(), st.integers(1, 40))
def test_sse_5_what_our_server_writes_is_what_is_read(text: str, size: int) -> None:
    sent = encode_event(text, id="7", event="kind") + encode_event("next", id="8")
    parser = EventParser()
    told = [event for at in range(0, len(sent), size) for event in parser.feed(sent[at : at + size])]
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    assert told == [ServerEvent("7", "kind", lines), ServerEvent("8", "message", "next")]


def test_an_event_without_end_is_refused() -> None:
    parser = EventParser(longest=1000)
    parser.feed(b"data: " + b"x" * 900)
    with pytest.raises(NotALoomServer, match="more than 1000 bytes"):
        parser.feed(b"x" * 200)
