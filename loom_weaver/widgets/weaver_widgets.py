"""The widgets: synced traits, and nothing that decides anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ipywidgets import DOMWidget
from traitlets import Int, Unicode

from loom_weaver.client.async_weaver import AsyncWeaver
from loom_weaver.client.face import WeaverFace, last_lines, latest
from loom_weaver.errors import BadRequest
from loom_weaver.models import WeaverObject
from loom_weaver.names import is_weaver_id
from loom_weaver.widgets.cell_runs import CELL_RUNS, present_run
from loom_weaver.widgets.picture import MOST_LINES, picture

if TYPE_CHECKING:
    from collections.abc import Sequence

MODULE = "@loom/weaver-lab"
# Of what passes between kernel and browser; the browser's part tells which it knows.
PROTOCOL = "1.0.0"
MIME_TYPE = "application/vnd.loom-weaver.v1+json"
Subject = str | WeaverFace | AsyncWeaver | WeaverObject


class WeaverWidget(DOMWidget):  # type: ignore[misc] # ipywidgets has no types
    """One weaver in a cell. `status`, `exit_code` and `lines_seen` follow what the browser sees."""

    view: ClassVar[str]
    title: ClassVar[str]

    _model_module = Unicode(MODULE).tag(sync=True)
    _model_module_version = Unicode(PROTOCOL).tag(sync=True)
    _model_name = Unicode("WeaverModel").tag(sync=True)
    _view_module = Unicode(MODULE).tag(sync=True)
    _view_module_version = Unicode(PROTOCOL).tag(sync=True)

    weaver_id = Unicode(read_only=True, help="which weaver is shown").tag(sync=True)
    status = Unicode(help="pending, running, succeeded, failed, terminating, or deleted").tag(sync=True)
    exit_code = Int(None, allow_none=True, help="None while it runs").tag(sync=True)
    lines_seen = Int(0, help="lines of its log that the browser has read").tag(sync=True)

    def __init__(self, weaver: Subject, **traits: Any) -> None:
        self._subject = weaver
        weaver_id = weaver if isinstance(weaver, str) else weaver.id
        if not is_weaver_id(weaver_id):
            raise BadRequest(f"{weaver_id!r} is no weaver's id; one looks like weaver_abc123", field="weaver")
        self.set_trait("weaver_id", weaver_id)
        state = self._state()
        if state is not None:
            traits = {"status": state.status, "exit_code": state.exit_code, **traits}
        super().__init__(**traits)
        CELL_RUNS.made(self, present_run())

    def __repr__(self) -> str:
        """Never the whole state: what is printed is kept in the notebook."""
        if not getattr(self, "comm", None):
            return f"<{type(self).__name__} {self.weaver_id} closed>"
        return f"<{type(self).__name__} {self.weaver_id} {self.status or 'status not known'}>"

    def close(self) -> None:
        """With its layout, which ipywidgets would leave behind."""
        layout = self.layout
        super().close()
        layout.close()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """For our front end, and a picture that stays.

        Not the view of any widget manager: exports and pages without our front end would prefer it to the
        picture, and draw nothing. Ours finds this widget by `model_id`.
        """
        return {
            "text/plain": repr(self),
            "text/html": picture(self.weaver_id, self._state(), self.title, self._lines()),
            MIME_TYPE: {"id": self.weaver_id, "view": self.view, "model_id": self.model_id},
        }

    def _state(self) -> WeaverObject | None:
        match self._subject:
            case WeaverFace():
                return latest(self._subject)
            case AsyncWeaver():
                return self._subject.state
            case WeaverObject():
                return self._subject
        return None

    def _lines(self) -> Sequence[str] | None:
        """What the picture shows of its log; None: nothing."""
        return None


class WeaverPanel(WeaverWidget):
    """Its state, the time it has left, and what can be done with it."""

    view = "card"
    title = "Weaver"
    _view_name = Unicode("WeaverPanelView").tag(sync=True)


class WeaverLogs(WeaverWidget):
    """Its log, as it grows; `tail` is how many of the lines that are there already come first."""

    view = "logs"
    title = "Log of"
    _view_name = Unicode("WeaverLogsView").tag(sync=True)
    tail = Int(1000, help="lines that are shown of what is there already").tag(sync=True)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle = super()._repr_mimebundle_()
        bundle[MIME_TYPE]["tail"] = self.tail
        return bundle

    def _lines(self) -> Sequence[str] | None:
        return last_lines(self._subject, MOST_LINES) if isinstance(self._subject, WeaverFace) else None


class WeaverTerminal(WeaverWidget):
    """Its terminal, to type in. Nothing that was on its screen is kept in the notebook."""

    view = "terminal"
    title = "Terminal of"
    _view_name = Unicode("WeaverTerminalView").tag(sync=True)
