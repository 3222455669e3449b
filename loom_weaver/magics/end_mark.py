"""Where a cell's output ends: a mark that no program prints, taken out of pieces of bytes. No I/O."""

from __future__ import annotations

LONGEST_CODE = len("255\0")


class EndMark:
    """Of one stream of one interpreter; `code` is set once the mark has come."""

    def __init__(self, mark: bytes) -> None:
        self._mark = mark
        self._held = b""
        self.code: int | None = None

    def feed(self, data: bytes) -> bytes:
        """The output in it. What may be the beginning of the mark waits for the next piece."""
        text = self._held + data
        before, found, after = text.partition(self._mark)
        if found:
            return before + self._end(found, after)
        kept = _overlap(text, self._mark)
        self._held = text[len(text) - kept :]
        return text[: len(text) - kept]

    def flush(self) -> bytes:
        """What was held back, when no more comes."""
        held, self._held = self._held, b""
        return held

    def _end(self, mark: bytes, after: bytes) -> bytes:
        """What follows the mark belongs to the next cell, if anything does."""
        code, whole, rest = after.partition(b"\0")
        if not whole and len(after) < LONGEST_CODE:
            self._held = mark + after
            return b""
        self.code = int(code)
        self._held = b""
        return rest


def _overlap(text: bytes, mark: bytes) -> int:
    """How many bytes at the end of `text` are a beginning of `mark`."""
    longest = min(len(text), len(mark) - 1)
    return next((length for length in range(longest, 0, -1) if mark.startswith(text[-length:])), 0)
