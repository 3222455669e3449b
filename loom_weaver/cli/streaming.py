"""The client for what takes more than one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loom_weaver.client.async_client import AsyncClient
    from loom_weaver.client.server import Server


def streaming(server: Server) -> AsyncClient:
    from loom_weaver.client.async_client import AsyncClient

    return AsyncClient(server.url, server.key)
