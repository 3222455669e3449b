"""Which widgets a cell has made, so that its next run closes those of the last."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

from IPython.core.getipython import get_ipython


class Closable(Protocol):
    def close(self) -> None: ...


class Run(NamedTuple):
    """One run of one cell."""

    cell: str
    message: str
    deleted_cells: tuple[str, ...] = ()


def present_run() -> Run | None:
    """None where no cell of a notebook runs."""
    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return None
    request: dict[str, Any] = kernel.get_parent("shell")
    message = request.get("header", {}).get("msg_id")
    metadata = request.get("metadata", {})
    # JupyterLab tells the cell; where nobody does, the same code is the same cell.
    cell = metadata.get("cellId") or request.get("content", {}).get("code")
    return Run(cell, message, tuple(metadata.get("deletedCells", ()))) if cell and message else None


class CellRuns:
    """Holds nothing alive by itself."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[str, list[weakref.ref[Closable]]]] = {}

    def __repr__(self) -> str:
        return f"<CellRuns cells={len(self._made)}>"

    def made(self, widget: Closable, run: Run | None) -> None:
        """Close what an earlier run of the cell has made, and what cells made that are deleted."""
        if run is None:
            return
        before = self._made.get(run.cell)
        if before is not None and before[0] != run.message:
            self._close(run.cell)
        for cell in run.deleted_cells:
            self._close(cell)
        _, widgets = self._made.setdefault(run.cell, (run.message, []))
        widgets.append(weakref.ref(widget))

    def of(self, run: Run | None) -> Iterable[Closable]:
        """What this run of the cell has made so far."""
        message, widgets = self._made.get(run.cell, ("", [])) if run else ("", [])
        alive = [widget for each in widgets if (widget := each()) is not None]
        return alive if run and message == run.message else []

    def _close(self, cell: str) -> None:
        _, widgets = self._made.pop(cell, ("", []))
        for each in widgets:
            widget = each()
            if widget is not None:
                widget.close()


CELL_RUNS = CellRuns()
