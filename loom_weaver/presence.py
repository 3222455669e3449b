"""Who watches a terminal in this process, how large it is for them, and who answers its queries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

AccessLevel = Literal["full", "read_only"]
Size = tuple[int, int]
# What a terminal has until a viewer tells its own.
DEFAULT_SIZE: Size = (80, 24)


def _nobody_asks() -> None:
    """What a viewer does with news that it cannot be told."""


@dataclass(slots=True)
class PresentViewer:
    """`typed` orders viewers by their last keystroke; 0 for one that never typed.

    `on_change` is called whenever somebody comes or goes, another viewer becomes the primary one, or the
    terminal gets another size.
    """

    id: int
    user_id: str
    user_name: str
    access: AccessLevel
    on_change: Callable[[], None]
    size: Size | None = None
    typed: int = 0


class Presence:
    """The viewers of one weaver. It holds who they are; size and primary follow from that."""

    __slots__ = ("_keystrokes", "_last_id", "_viewers", "primary", "terminal_size")

    def __init__(self) -> None:
        self._viewers: dict[int, PresentViewer] = {}
        self._last_id = 0
        self._keystrokes = 0
        self.terminal_size = DEFAULT_SIZE
        """What the terminal has; it stays when those who told it leave."""
        self.primary: int | None = None
        """The viewer that answers the terminal's queries: who typed last, else who came first."""

    def __repr__(self) -> str:
        return f"<Presence viewers={sorted(self._viewers)} primary={self.primary} size={self.size}>"

    def __len__(self) -> int:
        return len(self._viewers)

    def join(
        self, user_id: str, user_name: str, access: AccessLevel, on_change: Callable[[], None] = _nobody_asks
    ) -> int:
        """The new viewer's id, never given twice."""
        self._last_id += 1
        self._viewers[self._last_id] = PresentViewer(self._last_id, user_id, user_name, access, on_change)
        self._changed()
        return self._last_id

    def leave(self, viewer_id: int) -> None:
        if self._viewers.pop(viewer_id, None) is not None:
            self._changed()

    def type(self, viewer_id: int) -> bool:
        """Note a keystroke; returns whether it made this viewer the primary one."""
        if viewer_id == self.primary:
            return False
        viewer = self._viewers[viewer_id]
        if viewer.access != "full":
            return False
        self._keystrokes += 1
        viewer.typed = self._keystrokes
        self._changed()
        return True

    def resize(self, viewer_id: int, size: Size) -> None:
        """Note a viewer's size. It need not be that of the terminal: `size` is."""
        self._viewers[viewer_id].size = size

    def set_terminal_size(self, size: Size) -> None:
        if size != self.terminal_size:
            self.terminal_size = size
            self._changed()

    @property
    def size(self) -> Size | None:
        """What fits all who may resize, None while none of them told a size."""
        sizes = [viewer.size for viewer in self._viewers.values() if viewer.access == "full" and viewer.size]
        if not sizes:
            return None
        return min(cols for cols, _ in sizes), min(rows for _, rows in sizes)

    def snapshot(self) -> list[dict[str, Any]]:
        return [
            {
                "id": viewer.id,
                "user": {"id": viewer.user_id, "name": viewer.user_name},
                "access": viewer.access,
                "primary": viewer.id == self.primary,
            }
            for viewer in self._viewers.values()
        ]

    def _changed(self) -> None:
        able = [viewer for viewer in self._viewers.values() if viewer.access == "full"]
        self.primary = max(able, key=lambda viewer: viewer.typed).id if able else None
        for viewer in list(self._viewers.values()):
            viewer.on_change()


class PresenceByWeaver:
    """The presence at each weaver that somebody watches."""

    def __init__(self) -> None:
        self._watched: dict[str, Presence] = {}

    def __repr__(self) -> str:
        return (
            f"<PresenceByWeaver { ({weaver: len(presence) for weaver, presence in self._watched.items()}) }>"
        )

    def at(self, weaver_id: str) -> Presence:
        return self._watched.setdefault(weaver_id, Presence())

    def drop_empty(self, weaver_id: str) -> None:
        if not self.viewers(weaver_id):
            self._watched.pop(weaver_id, None)

    def viewers(self, weaver_id: str) -> int:
        presence = self._watched.get(weaver_id)
        return len(presence) if presence is not None else 0
