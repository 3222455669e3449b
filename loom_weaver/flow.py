"""Back-pressure on a terminal: when its output may be read, and which viewer is let go of. Pure rules.

A viewer is (lag, waited): how many bytes it is behind, and the seconds since it last took some, or since
there is something for it to take, whichever is shorter. The fastest viewer sets the pace.

Standard library only, and no imports at run time: small processes use it too.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

# Far more than a link holds in flight, so a viewer that keeps up never waits for the source.
PAUSE_BEHIND = 4 * 1024 * 1024
# As much again, for what a source that is read for another viewer puts out until this one catches up.
CLOSE_BEHIND = 8 * 1024 * 1024
# A viewer that takes nothing for this long is asleep or gone: nobody should wait for it.
STALLED_AFTER = 10.0


def counts(waited: float) -> bool:
    """Whether a viewer still sets the pace."""
    return waited < STALLED_AFTER


def may_read(viewers: Collection[tuple[int, float]]) -> bool:
    """Whether the source may be read: somebody who counts keeps up, or nobody counts."""
    lags = [lag for lag, waited in viewers if counts(waited)]
    return not lags or min(lags) <= PAUSE_BEHIND


def look_again_in(viewers: Collection[tuple[int, float]]) -> float | None:
    """The seconds until time alone lets a paused source be read again; None when it may be read now."""
    if may_read(viewers):
        return None
    return max(STALLED_AFTER - waited for _, waited in viewers if counts(waited))


def too_slow(lag: int) -> bool:
    """Whether a viewer is so far behind that it is closed."""
    return lag > CLOSE_BEHIND
