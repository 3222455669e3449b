"""`%load_ext loom_weaver`: weavers by `%weaver` and `%%weaver`, in notebooks and in IPython at a terminal."""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING, Any

from loom_weaver.magics.completion import candidates
from loom_weaver.magics.weaver_magics import WeaverMagics

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load(shell: InteractiveShell) -> None:
    """Loaded twice it does nothing more."""
    if _loaded(shell) is not None:
        return
    magics = WeaverMagics(shell)
    shell.register_magics(magics)
    atexit.register(magics.house.close)

    def complete(_: Any, event: Any) -> list[str]:
        return candidates(magics.house, event.text_until_cursor.lstrip())

    # IPython's own part of this has no types.
    hook: Any = shell.set_hook
    for name in ("%weaver", "%%weaver"):
        hook("complete_command", complete, str_key=name)


def unload(shell: InteractiveShell) -> None:
    """Close what is open; weavers go on."""
    magics = _loaded(shell)
    if magics is None:
        return
    magics.house.close()
    atexit.unregister(magics.house.close)
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("weaver", None)
    shell.magics_manager.registry.pop(WeaverMagics.__name__)


def _loaded(shell: InteractiveShell) -> WeaverMagics | None:
    found = shell.magics_manager.registry.get(WeaverMagics.__name__)
    return found if isinstance(found, WeaverMagics) else None
