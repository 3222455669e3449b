"""Weavers as the API shows them, made up."""

from __future__ import annotations

from typing import Any

from loom_weaver.models import Isolation, Status, WeaverObject

EMPTY = ("repo_id", "resources", "command", "args", "workdir", "started_at", "finished_at")


def weaver(weaver_id: str, state: Status = "running", **changes: Any) -> WeaverObject:
    fields: dict[str, Any] = {
        "id": weaver_id,
        "pod_name": weaver_id.replace("weaver_", "loom-weaver-"),
        "status": state,
        "created_at": "2026-03-03T12:00:00Z",
        "expires_at": "2026-03-04T12:00:00Z",
        "image": "shell",
        "tags": {},
        "lifetime_hours": 24,
        "age_hours": 0.0,
        "owner_user_id": "user_1",
        "org_id": "o",
        "isolation": Isolation(kind="none", enforced=[]),
        "timeline": [],
        "viewers": 0,
    }
    nothing = dict.fromkeys((*EMPTY, "exit_code", "reason", "detail"))
    return WeaverObject(**{**nothing, **fields, **changes})
