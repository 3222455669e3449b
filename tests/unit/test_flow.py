"""Who sets the pace of a terminal."""

from __future__ import annotations

import pytest

from loom_weaver import flow

BEHIND = flow.PAUSE_BEHIND + 1
NOW, ALMOST, STALLED = 0.0, flow.STALLED_AFTER - 0.5, flow.STALLED_AFTER


@pytest.mark.parametrize(
    ("viewers", "reads"),
    [
        ([], True),
        ([(0, NOW)], True),
        ([(flow.PAUSE_BEHIND, ALMOST)], True),
        ([(BEHIND, NOW)], False),
        ([(BEHIND, ALMOST)], False),
        ([(BEHIND, STALLED)], True),
        ([(BEHIND, NOW), (0, NOW)], True),
        ([(BEHIND, NOW), (BEHIND, STALLED)], False),
        ([(BEHIND, STALLED), (0, STALLED)], True),
        # One that sleeps does not speed up the others, however little it is behind.
        ([(BEHIND, NOW), (1, STALLED)], False),
    ],
)
def test_the_fastest_viewer_that_counts_sets_the_pace(viewers: list[tuple[int, float]], reads: bool) -> None:
    assert flow.may_read(viewers) is reads


@pytest.mark.parametrize(
    ("viewers", "seconds"),
    [
        ([], None),
        ([(0, NOW)], None),
        ([(BEHIND, ALMOST)], 0.5),
        ([(BEHIND, NOW), (BEHIND, ALMOST), (BEHIND, STALLED)], flow.STALLED_AFTER),
    ],
)
def test_time_alone_lets_a_paused_source_go_on(
    viewers: list[tuple[int, float]], seconds: float | None
) -> None:
    assert flow.look_again_in(viewers) == seconds
    if seconds is not None:
        assert flow.may_read([(lag, waited + seconds) for lag, waited in viewers])


@pytest.mark.parametrize(
    ("lag", "closed"), [(0, False), (flow.CLOSE_BEHIND, False), (flow.CLOSE_BEHIND + 1, True)]
)
def test_a_viewer_too_far_behind_is_closed(lag: int, closed: bool) -> None:
    assert flow.too_slow(lag) is closed
