"""Reads Server-Sent Events as a browser does: every CR, LF and CRLF ends a line (WHATWG HTML, 9.2.6)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass
class Event:
    data: str
    kind: str = "message"
    id: str = ""


@dataclass
class EventParser:
    """Feed it bytes; it counts comments as it goes."""

    comments: int = 0
    last_id: str = ""
    _rest: bytes = b""
    _kind: str = ""
    _data: list[str] = field(default_factory=list)

    def feed(self, data: bytes) -> Iterator[Event]:
        *lines, self._rest = re.split(rb"\r\n|\r(?!$)|\n", self._rest + data)
        for line in lines:
            event = self._line(line.decode())
            if event is not None:
                yield event

    def _line(self, line: str) -> Event | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not name:
            self.comments += 1
        elif name == "data":
            self._data.append(value)
        elif name == "event":
            self._kind = value
        elif name == "id" and "\0" not in value:
            self.last_id = value
        return None

    def _dispatch(self) -> Event | None:
        data, kind = self._data, self._kind
        self._data, self._kind = [], ""
        return Event("\n".join(data), kind or "message", self.last_id) if data else None


def parse_events(data: bytes) -> list[Event]:
    return list(EventParser().feed(data))


def read_events(chunks: Iterable[bytes]) -> Iterator[Event]:
    parser = EventParser()
    for chunk in chunks:
        yield from parser.feed(chunk)
