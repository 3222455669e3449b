"""Between a weaver and its record on disk."""

from __future__ import annotations

import secrets
from datetime import datetime
from functools import cache
from typing import Any

from loom_weaver.lifetime import parse_rfc3339, rfc3339
from loom_weaver.models import Isolation, Resources, TimelineEntry
from loom_weaver.runtimes.local.record import Record
from loom_weaver.runtimes.local.terminal import DEFAULT_COLS, DEFAULT_ROWS
from loom_weaver.weaver import Weaver


def new_record(weaver: Weaver, log_limit: int) -> Record:
    """What the holder starts from; `log_limit` is in bytes."""
    return {
        "id": weaver.id,
        "owner_user_id": weaver.owner_user_id,
        "org_id": weaver.org_id,
        "repo_id": weaver.repo_id,
        "image": weaver.image,
        "created_at": rfc3339(weaver.created_at),
        "lifetime_hours": weaver.lifetime_hours,
        "deadline": weaver.expires_at.timestamp(),
        "resources": weaver.resources.model_dump() if weaver.resources else None,
        "tags": dict(weaver.tags),
        "command": weaver.command,
        "args": weaver.args,
        "workdir": weaver.workdir,
        "isolation": weaver.isolation.model_dump(),
        "status": weaver.status,
        "version": weaver.version,
        "started_at": None,
        "finished_at": None,
        "exit_code": None,
        "reason": None,
        "detail": None,
        "timeline": [entry.model_dump() for entry in weaver.timeline],
        "secret": secrets.token_hex(32),
        "epoch": secrets.token_hex(4),
        "log_limit": log_limit,
        "size": [DEFAULT_COLS, DEFAULT_ROWS],
        "holder": None,
    }


def weaver_of(record: Record) -> Weaver:
    """Raise KeyError or ValueError for a record that is none."""
    return Weaver(
        id=record["id"],
        owner_user_id=record["owner_user_id"],
        org_id=record["org_id"],
        image=record["image"],
        created_at=parse_rfc3339(record["created_at"]),
        lifetime_hours=record["lifetime_hours"],
        isolation=_isolation(record["isolation"]["kind"], tuple(record["isolation"]["enforced"])),
        status=record["status"],
        version=record["version"],
        repo_id=record["repo_id"],
        resources=Resources(**record["resources"]) if record["resources"] else None,
        tags=record["tags"],
        command=_strings(record["command"]),
        args=_strings(record["args"]),
        workdir=record["workdir"],
        started_at=_moment(record["started_at"]),
        finished_at=_moment(record["finished_at"]),
        exit_code=record["exit_code"],
        reason=record["reason"],
        detail=record["detail"],
        timeline=tuple(TimelineEntry(**entry) for entry in record["timeline"]),
    )


def size_of(record: Record) -> tuple[int, int]:
    """Columns and rows of its terminal at the end. The weavers of earlier versions wrote none."""
    cols, rows = record.get("size", (DEFAULT_COLS, DEFAULT_ROWS))
    return cols, rows


@cache
def _isolation(kind: str, enforced: tuple[str, ...]) -> Isolation:
    """One for all weavers that are kept in alike."""
    return Isolation(kind=kind, enforced=list(enforced))


def _strings(value: list[Any] | None) -> tuple[str, ...] | None:
    return tuple(value) if value is not None else None


def _moment(text: str | None) -> datetime | None:
    return parse_rfc3339(text) if text else None
