"""Ids of log lines, and which lines a reader has had. Pure.

An id says where reading goes on after its item: `NS.N`, behind the Nth line of a moment; `NS.N-BYTES`, inside
that line; `NS.N-end`, nothing follows. They hold for every server, since the cluster keeps the times.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from loom_weaver.runtimes.base import LogEntry, LogGap, LogItem
from loom_weaver.runtimes.kubernetes.log_text import NANOSECONDS, Piece, moment

_ID = re.compile(r"(0|[1-9][0-9]{18})\.(0|[1-9][0-9]{0,8})(?:-(?:(0|[1-9][0-9]{0,17})|(end)))?", re.ASCII)


class Place(NamedTuple):
    """Where a reader stands: behind a line, or in it at `offset`."""

    ns: int
    number: int
    offset: int | None = None
    ended: bool = False

    @property
    def id(self) -> str:
        return f"{self.ns}.{self.number}" + ("" if self.offset is None else f"-{self.offset}")

    @property
    def end_id(self) -> str:
        return f"{self.ns}.{self.number}-end"

    @property
    def second(self) -> str:
        """The moment from which to ask for the log again; the kubelet cuts it to whole seconds."""
        return moment(self.ns // NANOSECONDS * NANOSECONDS).strftime("%Y-%m-%dT%H:%M:%SZ")


BEFORE_ALL = Place(0, 0)


def parse_id(text: str) -> Place | None:
    """None for an id that no log gives."""
    match = _ID.fullmatch(text)
    if match is None:
        return None
    offset = int(match[3]) if match[3] else None
    return Place(int(match[1]), int(match[2]), offset, ended=match[4] is not None)


class LogReading:
    """What a reader has had of a log that may be opened again and again, each time from a whole second."""

    def __init__(self, place: Place | None = None, since: datetime | None = None) -> None:
        self.place = place
        self._since = since
        self._found = place is None

    def __repr__(self) -> str:
        return f"<LogReading {self.place} {'found' if self._found else 'searching'}>"

    @property
    def found(self) -> bool:
        """Whether what comes follows what was had."""
        return self._found

    def open_again(self) -> None:
        """The log is read once more: look for the place first."""
        self._found = self.place is None

    def go_on_in(self, begins: int, *, follows: bool) -> list[LogItem]:
        """The next file of the log, from its beginning; tells where others came between."""
        self._found = self.place is None or self.place.ns < begins
        if follows or not self._found:
            return []
        return [LogGap(Place(begins, 0, 0).id, None)]

    def take(self, pieces: Iterable[Piece]) -> list[LogItem]:
        """What is new."""
        items: list[LogItem] = []
        for piece in pieces:
            if not self._found and not self._reaches(piece, items):
                continue
            self.place = Place(piece.ns, piece.number, None if piece.complete else piece.end)
            at = None if piece.begin else moment(piece.ns)
            if self._since is None or at is None or at >= self._since:
                items.append(LogEntry(self.place.id, at, piece.text))
        return items

    def _reaches(self, piece: Piece, items: list[LogItem]) -> bool:
        """Whether a piece is the first that was not had."""
        assert self.place is not None
        key, had = (piece.ns, piece.number), self.place[:2]
        if key < had:
            return False
        if key > had:
            if had != BEFORE_ALL[:2]:
                items.append(LogGap(Place(piece.ns, piece.number, 0).id, None))
            self._found = True
            return True
        if self.place.offset is None:
            self._found = piece.complete
            return False
        if piece.begin < self.place.offset:
            return False
        self._found = True
        return True
