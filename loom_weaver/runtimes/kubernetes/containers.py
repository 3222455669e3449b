"""Names that are part of every weaver's pod."""

from __future__ import annotations

# The container that is the weaver; a template may add others.
CONTAINER = "weaver"
