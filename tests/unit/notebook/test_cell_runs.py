"""What a cell has made is closed when it runs again, or is deleted."""

from __future__ import annotations

from loom_weaver.widgets.cell_runs import CellRuns, Run


class Made:
    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def test_the_next_run_closes_what_the_last_has_made() -> None:
    runs, one, two, three = CellRuns(), Made(), Made(), Made()
    runs.made(one, Run("cell", "first"))
    runs.made(two, Run("cell", "first"))
    assert list(runs.of(Run("cell", "first"))) == [one, two]
    runs.made(three, Run("cell", "second"))
    assert (one.closed, two.closed, three.closed) == (1, 1, 0)
    assert list(runs.of(Run("cell", "second"))) == [three]
    assert list(runs.of(Run("cell", "first"))) == []


def test_other_cells_keep_theirs_until_they_are_deleted() -> None:
    runs, one, two = CellRuns(), Made(), Made()
    runs.made(one, Run("cell", "first"))
    runs.made(two, Run("other", "second"))
    assert one.closed == 0
    runs.made(Made(), Run("third", "third", ("cell",)))
    assert (one.closed, two.closed) == (1, 0)


def test_where_no_cell_runs_nothing_is_kept() -> None:
    runs = CellRuns()
    runs.made(Made(), None)
    assert repr(runs) == "<CellRuns cells=0>"
    assert list(runs.of(None)) == []
