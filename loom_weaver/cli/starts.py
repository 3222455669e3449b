"""Words for who waits for a weaver to start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loom_weaver.cli.text import cleaned

if TYPE_CHECKING:
    from loom_weaver.models import WeaverObject

# A start that takes no longer than this needs no words.
SILENT_SECONDS = 1.0


def progress(weaver: WeaverObject) -> str:
    """`weaver_… is pending: Pulled, ImagePullBackOff: it cannot be pulled`."""
    done = [entry.event for entry in weaver.timeline]
    waits_for = ": ".join(part for part in (weaver.reason, weaver.detail) if part)
    parts = [*done[-1:], *([waits_for] if waits_for else [])]
    return cleaned(f"{weaver.id} is {weaver.status}" + (f": {', '.join(parts)}" if parts else ""))
