"""Server-Sent Events as the WHATWG's text has a browser read them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# CR, LF and CRLF end a line, and nothing else does.
LINE = re.compile(rb"([^\r\n]*)(\r\n|\n|\r)")


@dataclass(frozen=True)
class Event:
    id: str
    event: str
    data: str


def read_events(chunks: Iterable[bytes]) -> Iterator[Event]:
    last_id, event = "", ""
    data: list[str] = []
    for line in read_lines(chunks):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield Event(last_id, event or "message", "\n".join(data))
            event = ""
            data = []
        elif name == "data":
            data.append(value)
        elif name == "event":
            event = value
        elif name == "id" and "\0" not in value:
            last_id = value


def read_lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Lines, comments among them, each as soon as it is known to be over."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        while match := LINE.match(rest):
            if match[2] == b"\r" and match.end() == len(rest):
                # The LF of a CRLF may be yet to come.
                break
            rest = rest[match.end() :]
            yield match[1].decode()
