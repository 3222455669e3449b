"""A weaver as the last line of a cell."""

from __future__ import annotations

from typing import Any

from IPython.core.getipython import get_ipython

from loom_weaver.widgets.cell_runs import CELL_RUNS, present_run
from loom_weaver.widgets.weaver_widgets import Subject, WeaverPanel


def mimebundle(weaver: Subject) -> dict[str, Any]:
    """A live card in a notebook, else text. One run of a cell makes one card of a weaver."""
    plain = {"text/plain": repr(weaver)}
    if getattr(get_ipython(), "kernel", None) is None or _not_there(weaver):
        return plain
    weaver_id = weaver if isinstance(weaver, str) else weaver.id
    made = [each for each in CELL_RUNS.of(present_run()) if isinstance(each, WeaverPanel)]
    card = next((each for each in made if each.weaver_id == weaver_id), None)
    return (card or WeaverPanel(weaver))._repr_mimebundle_() | plain


def _not_there(weaver: Subject) -> bool:
    """Whether it is still to be created, by entering it."""
    return repr(weaver).endswith("not created>")
