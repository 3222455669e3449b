"""What a terminal put out, by absolute offsets: a ring bounded in bytes, and where a viewer begins in it.

Standard library only, and no imports at run time: small processes use it too.
"""

from __future__ import annotations

# The contract's scrollback: what a new viewer is shown of the past.
SHOWN = 1024 * 1024
# One that resumes gets all it missed up to this; more would come faster than a slow link takes it.
RESUMED = 4 * 1024 * 1024
# The buffer of a silent terminal; it doubles from here.
SMALLEST = 4096


class Scrollback:
    """The newest `limit` bytes. Offsets count from the first byte ever appended, which has `begin`."""

    __slots__ = ("_buffer", "_first", "end", "limit")

    def __init__(self, limit: int, begin: int = 0) -> None:
        self.limit = limit
        self.end = self._first = begin
        self._buffer = bytearray(limit if begin else min(SMALLEST, limit))

    def __repr__(self) -> str:
        return f"<Scrollback {self.start}…{self.end}>"

    @property
    def start(self) -> int:
        """The offset of the oldest byte that is kept."""
        return max(self._first, self.end - self.limit)

    def missing(self, offset: int) -> int:
        """How many of the bytes from `offset` on are not kept any more."""
        return max(0, self.start - offset)

    def append(self, data: bytes | memoryview) -> None:
        end = self.end + len(data)
        view = memoryview(data)[-self.limit :]
        self._reserve(end)
        at = (end - len(view)) % len(self._buffer)
        first = view[: len(self._buffer) - at]
        self._buffer[at : at + len(first)] = first
        rest = view[len(first) :]
        self._buffer[: len(rest)] = rest
        self.end = end

    def read(self, offset: int, size: int) -> memoryview:
        """The bytes from `offset` on that lie together, at most `size`; empty at the end.

        The view is good until the next append. Raises ValueError for an offset that is not kept.
        """
        if not self.start <= offset <= self.end:
            raise ValueError(f"{offset} is not in {self!r}")
        at = offset % len(self._buffer)
        return memoryview(self._buffer)[at : at + min(size, self.end - offset)].toreadonly()

    def since(self, offset: int) -> bytearray:
        """A copy of all from `offset` on."""
        data = bytearray()
        while offset < self.end:
            part = self.read(offset, self.end - offset)
            data += part
            offset += len(part)
        return data

    def refit(self, limit: int, before: bytes = b"") -> None:
        """Keep `limit` bytes from now on; `before` is what came right before the oldest that is kept.

        Views taken before stay good.
        """
        kept = bytearray(before[-self.start :] if self.start else b"") + self.since(self.start)
        del kept[: max(0, len(kept) - limit)]
        self.limit = limit
        self._first = offset = self.end - len(kept)
        self._buffer = bytearray(limit if self.end > SMALLEST else min(SMALLEST, limit))
        at = offset % len(self._buffer)
        head = kept[: len(self._buffer) - at]
        self._buffer[at : at + len(head)] = head
        self._buffer[: len(kept) - len(head)] = kept[len(head) :]

    def _reserve(self, end: int) -> None:
        """Grow while nothing has been overwritten. A new buffer, for a view of the old one may be about."""
        size = len(self._buffer)
        if end > size < self.limit:
            while size < end:
                size *= 2
            grown = bytearray(min(size, self.limit))
            grown[: self.end] = self._buffer[: self.end]
            self._buffer = grown


def replay_from(start: int, end: int, *, shown: bool, since: int | None) -> tuple[int, int | None]:
    """Where a viewer of `start`…`end` begins, and the bytes that it misses before that (None: nobody knows).

    `since` is the offset it saw last, -1 one of another ring; without it, `shown` asks for the scrollback.
    """
    scrollback = max(start, end - SHOWN)
    if since is None:
        return (scrollback if shown else end), 0
    if not 0 <= since <= end:
        return scrollback, None
    if since >= start and end - since <= RESUMED:
        return since, 0
    return scrollback, scrollback - since


def oldest_wanted(end: int, *, shown: bool, since: int | None) -> int:
    """The oldest byte that a viewer of what ends there may be given."""
    if since is not None and 0 <= since <= end <= since + RESUMED:
        return since
    return max(0, end - SHOWN) if shown or since is not None else end
