"""Server-Sent Events as a reader gets them (WHATWG HTML, 9.2.6). No I/O.

Lines end at LF, CR and CRLF, and at nothing else: not at U+2028, U+0085 or a form feed, as `str.splitlines`
has it.
"""

from __future__ import annotations

from typing import NamedTuple

from loom_weaver.client.errors import NotALoomServer

# A log line has at most 1 MiB. One of nothing but carriage returns has 7 bytes on the wire for each.
LONGEST_EVENT = 8 * 1024 * 1024
BOM = b"\xef\xbb\xbf"


class ServerEvent(NamedTuple):
    """`id` is that of the last event that had one; empty if none had."""

    id: str
    kind: str
    data: str


class EventParser:
    """Holds one unfinished event, of at most `longest` bytes."""

    def __init__(self, longest: int = LONGEST_EVENT) -> None:
        self._longest = longest
        self._rest = bytearray()
        self._after_cr = False
        self._at_start = True
        self._last_id = ""

    def __repr__(self) -> str:
        return f"<EventParser held={len(self._rest)} last_id={self._last_id!r}>"

    def feed(self, data: bytes) -> list[ServerEvent]:
        """The events that `data` completes. Raises NotALoomServer for one that has no end."""
        searched = max(0, len(self._rest) - 1)
        self._rest += self._with_lf(data)
        if self._at_start and not self._skip_bom():
            return []
        end = self._rest.rfind(b"\n\n", searched)
        if end < 0:
            if len(self._rest) > self._longest:
                raise NotALoomServer(f"the stream holds an event of more than {self._longest} bytes")
            return []
        text = self._rest[:end].decode("utf-8", "replace")
        del self._rest[: end + 2]
        return [event for block in text.split("\n\n") if (event := self._event(block)) is not None]

    def _with_lf(self, data: bytes) -> bytes:
        """The LF of a CRLF may come later than its CR, which has ended the line already."""
        if self._after_cr and data[:1] == b"\n":
            data = data[1:]
            self._after_cr = False
        if data:
            self._after_cr = data[-1:] == b"\r"
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data

    def _skip_bom(self) -> bool:
        """False while it is not known whether there is one."""
        if len(self._rest) < len(BOM) and BOM.startswith(self._rest):
            return False
        if self._rest.startswith(BOM):
            del self._rest[: len(BOM)]
        self._at_start = False
        return True

    def _event(self, block: str) -> ServerEvent | None:
        kind = ""
        data: list[str] = []
        for line in block.split("\n"):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "data":
                data.append(value)
            elif name == "id":
                if "\0" not in value:
                    self._last_id = value
            elif name == "event":
                kind = value
        return ServerEvent(self._last_id, kind or "message", "\n".join(data)) if data else None
