"""When the bytes of a ring arrived."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

# 64 Ki pairs are some 7 MiB; with more, times become coarser.
MOST = 64 * 1024


class Arrivals:
    """Pairs (offset, milliseconds since 1970), ascending: the bytes up to the next pair arrived then."""

    __slots__ = ("_pairs",)

    def __init__(self) -> None:
        self._pairs: list[tuple[int, int]] = []

    def __repr__(self) -> str:
        return f"<Arrivals {len(self._pairs)}>"

    def add(self, offset: int, ms: int) -> None:
        if not self._pairs or self._pairs[-1][1] < ms:
            self._pairs.append((offset, ms))
            if len(self._pairs) > MOST:
                del self._pairs[1::2]

    def forget_before(self, offset: int) -> None:
        """Rarely, and then many: so that it costs nothing."""
        gone = bisect_right(self._pairs, offset, key=_offset_of) - 1
        if gone > len(self._pairs) // 2:
            del self._pairs[:gone]

    def between(self, offset: int, end: int) -> list[tuple[int, int]]:
        first = bisect_right(self._pairs, offset, key=_offset_of) - 1
        return self._pairs[max(0, first) : bisect_left(self._pairs, end, key=_offset_of)]

    def since(self, ms: int) -> int | None:
        """The first offset that arrived at `ms` or later."""
        found = bisect_left(self._pairs, ms, key=_ms_of)
        return self._pairs[found][0] if found < len(self._pairs) else None


def _offset_of(pair: tuple[int, int]) -> int:
    return pair[0]


def _ms_of(pair: tuple[int, int]) -> int:
    return pair[1]
