"""How much memory the rings of all terminals may take together."""

from __future__ import annotations

# A terminal that nobody watches keeps this; the rest of its past is in the log.
UNWATCHED = 32 * 1024
# All rings together; with 32 KiB each it is enough for 8,000 terminals.
ALL_RINGS = 256 * 1024 * 1024


class RingMemory:
    """Grants each ring its size while there is some left, and never less than what an unwatched one keeps."""

    def __init__(self, limit: int = ALL_RINGS) -> None:
        self._limit = limit
        self._granted = 0

    def __repr__(self) -> str:
        return f"<RingMemory {self._granted} of {self._limit}>"

    def grant(self, wanted: int, *, instead_of: int) -> int:
        """The size that a ring gets, which had `instead_of` until now."""
        left = self._limit - (self._granted - instead_of)
        size = max(UNWATCHED, min(wanted, left))
        self._granted += size - instead_of
        return size

    def give_back(self, size: int) -> None:
        self._granted -= size
