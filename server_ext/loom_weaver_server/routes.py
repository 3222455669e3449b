"""Every URL of the API: the one table."""

from __future__ import annotations

import re
from typing import NamedTuple

from loom_weaver_server.handlers import identity
from loom_weaver_server.handlers.attach import AttachHandler
from loom_weaver_server.handlers.base import JSONHandler
from loom_weaver_server.handlers.docs import DocsHandler, OpenAPIHandler
from loom_weaver_server.handlers.events import EventsHandler
from loom_weaver_server.handlers.exec import ExecHandler
from loom_weaver_server.handlers.files import FilesHandler
from loom_weaver_server.handlers.health import HealthHandler
from loom_weaver_server.handlers.logs import LogsHandler
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
    Route("/api/weaver/{weaver_id}", WeaverHandler, "weaver"),
    Route("/api/weaver/{weaver_id}/logs", LogsHandler, "weaver_logs"),
    Route("/api/weaver/{weaver_id}/attach", AttachHandler, "weaver_attach"),
    Route("/api/weaver/{weaver_id}/exec", ExecHandler, "weaver_exec"),
    Route("/api/weaver/{weaver_id}/files", FilesHandler, "weaver_files"),
    Route("/api/weavers", WeaversHandler, "weavers"),
    Route("/api/weavers/cleanup", CleanupHandler, "cleanup"),
    Route("/api/weavers/events", EventsHandler, "weaver_events"),
    Route("/api/weavers/me", MeHandler, "me"),
    Route("/api/users", identity.UsersHandler, "users"),
    Route("/api/users/{user_id}", identity.UserHandler, "user"),
    Route("/api/orgs", identity.OrgsHandler, "orgs"),
    Route("/api/orgs/{org_id}/members", identity.MembersHandler, "members"),
    Route("/api/orgs/{org_id}/members/{user_id}", identity.MemberHandler, "member"),
    Route("/api/orgs/{org_id}/repos", identity.ReposHandler, "repos"),
    Route("/api/orgs/{org_id}/repos/{repo_id}/secrets", identity.SecretsHandler, "secrets"),
    Route("/api/orgs/{org_id}/repos/{repo_id}/secrets/{name}", identity.SecretHandler, "secret"),
    Route("/api/keys", identity.KeysHandler, "keys"),
    Route("/api/keys/{key_id}", identity.KeyHandler, "key"),
    Route("/auth/ws-token", identity.WsTokenHandler, "ws_token"),
    Route("/health", HealthHandler, "health"),
    Route("/api/openapi.json", OpenAPIHandler, "openapi"),
    Route("/api/docs", DocsHandler, "docs"),
    Route("/api/docs/{file}", DocsHandler, "docs_file"),
]
# Jupyter would answer what is unknown below these with a page or a redirect.
PREFIXES = (
    "/api/weaver",
    "/api/weavers",
    "/api/orgs",
    "/api/users",
    "/api/keys",
    "/auth/ws-token",
    "/api/docs",
)


def handlers() -> list[tuple[str, type[JSONHandler]]]:
    """What Tornado matches, in order."""
    known = [(pattern(route.path), route.handler) for route in ROUTES]
    unknown = [(rf"{prefix}(?:/.*)?", NotFoundHandler) for prefix in PREFIXES]
    return [*known, *unknown]


def pattern(path: str) -> str:
    return re.sub(r"\{\w+\}", "([^/]*)", re.escape(path).replace(r"\{", "{").replace(r"\}", "}"))
