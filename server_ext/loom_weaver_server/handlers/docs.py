"""The API's own description, and a page to read and try it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from swagger_ui_bundle import swagger_ui_path

from loom_weaver.errors import NotFound
from loom_weaver_server.handlers.base import WeaverAPIHandler
from loom_weaver_server.operations import Operation, operation

HERE = Path(__file__).parent.parent / "docs_page"
CONTENT_TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".png": "image/png"}
PAGE = "index.html"
# What the page loads: our start, and of Swagger UI what it needs.
FILES = {
    "start.js": HERE,
    "swagger-ui.css": Path(swagger_ui_path),
    "swagger-ui-bundle.js": Path(swagger_ui_path),
    "favicon-32x32.png": Path(swagger_ui_path),
}


class OpenAPIHandler(WeaverAPIHandler):
    @operation(Operation("This document", answers={200: "application/json"}))
    def get(self) -> None:
        self.reply({**self.settings["loom_weaver_openapi"], "servers": [{"url": self.base_url}]})


class DocsHandler(WeaverAPIHandler):
    """Swagger UI, from this server alone."""

    @property
    def content_security_policy(self) -> str:
        own = super().content_security_policy.removesuffix("default-src 'none'")
        return f"{own}default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"

    def get(self, name: str | None = None) -> None:
        if name is not None and name not in FILES:
            raise NotFound("There is no such file of the documentation; open /api/docs")
        name = name or PAGE
        self.set_header("Content-Type", CONTENT_TYPES[Path(name).suffix])
        self.set_header("Cache-Control", "private, max-age=3600")
        self.finish(_content(name))


@cache
def _content(name: str) -> bytes:
    return (FILES.get(name, HERE) / name).read_bytes()
