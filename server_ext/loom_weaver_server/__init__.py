"""The Jupyter server extension of loom-weaver: HTTP, SSE and WebSocket around the library `loom_weaver`."""

from __future__ import annotations


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    from loom_weaver_server.app import LoomWeaverApp

    return [{"module": "loom_weaver_server", "app": LoomWeaverApp}]
