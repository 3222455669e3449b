"""Every URL of the API: the one table."""

from __future__ import annotations

import re
from typing import NamedTuple

from loom_weaver_server.handlers.base import JSONHandler
from loom_weaver_server.handlers.not_found import NotFoundHandler
from loom_weaver_server.handlers.weavers import (
    CleanupHandler,
    MeHandler,
    WeaverHandler,
    WeaverRootHandler,
    WeaversHandler,
)


class Route(NamedTuple):
    path: str
    """With `{parameters}`, each one segment, which may be empty: no weaver has the empty id."""
    handler: type[JSONHandler]
    name: str
    """The second half of the operation ids, as in `get_weaver`."""


ROUTES = [
    Route("/api/weaver", WeaverRootHandler, "weaver"),
    Route("/api/weaver/{id}", WeaverHandler, "weaver"),
    Route("/api/weavers", WeaversHandler, "weavers"),
    Route("/api/weavers/cleanup", CleanupHandler, "cleanup"),
    Route("/api/weavers/me", MeHandler, "me"),
]
# Jupyter would answer what is unknown below these with a page or a redirect.
PREFIXES = ("/api/weaver", "/api/weavers", "/api/orgs", "/api/users", "/api/keys", "/auth/ws-token")


def handlers() -> list[tuple[str, type[JSONHandler]]]:
    """What Tornado matches, in order."""
    known = [(pattern(route.path), route.handler) for route in ROUTES]
    unknown = [(rf"{prefix}(?:/.*)?", NotFoundHandler) for prefix in PREFIXES]
    return [*known, *unknown]


def pattern(path: str) -> str:
    return re.sub(r"\{\w+\}", "([^/]*)", re.escape(path).replace(r"\{", "{").replace(r"\}", "}"))
