"""Which pages of the web may act through a visitor's browser."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest

DEFAULT_PORTS = {"http": 80, "https": 443}


def is_allowed_origin(request: HTTPServerRequest, settings: Mapping[str, Any]) -> bool:
    """No Origin (a program), our own scheme, host and port, or one that Jupyter's traits allow.

    `X-Forwarded-Host` is not believed: any client can send it.
    """
    origin = request.headers.get("Origin", request.headers.get("Sec-Websocket-Origin"))
    if origin is None:
        return True
    allowed = settings.get("allow_origin") or ""
    if allowed == "*" or (allowed and origin == allowed):
        return True
    pattern = settings.get("allow_origin_pat")
    if pattern and re.fullmatch(pattern, origin):
        return True
    own = _place(f"{request.protocol}://{request.host}")
    return own is not None and _place(origin) == own


def _place(url: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port, or None for what is no origin, `null` among it."""
    try:
        parts = urlsplit(url.lower())
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname or parts.path or parts.query or parts.username is not None:
        return None
    return parts.scheme, parts.hostname, port or DEFAULT_PORTS.get(parts.scheme)
