"""Paths of ours that lead nowhere."""

from __future__ import annotations

from loom_weaver.errors import NotFound
from loom_weaver_server.handlers.base import WeaverAPIHandler


class NotFoundHandler(WeaverAPIHandler):
    def get(self) -> None:
        raise NotFound("Nothing is at this path; GET /api/openapi.json lists what there is")

    post = put = patch = delete = head = get
