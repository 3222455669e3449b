"""A weaver as the house knows it: what was asked for, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from loom_weaver import lifetime
from loom_weaver.models import Isolation, Resources, Status, TimelineEntry, WeaverObject
from loom_weaver.names import pod_name

ACTIVE: frozenset[Status] = frozenset({"pending", "running"})


@dataclass(frozen=True, slots=True)
class WeaverSpec:
    """What a runtime needs to start a weaver. `env` holds secrets: it is never shown, logged or stored."""

    id: str
    owner_user_id: str
    org_id: str
    image: str
    created_at: datetime
    lifetime_hours: int
    repo_id: str | None = None
    resources: Resources | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] | None = None
    args: tuple[str, ...] | None = None
    workdir: str | None = None
    env: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Weaver:
    """One moment of a weaver. A change is a new object with a higher `version`."""

    id: str
    owner_user_id: str
    org_id: str
    image: str
    created_at: datetime
    lifetime_hours: int
    isolation: Isolation
    status: Status = "pending"
    version: int = 0
    repo_id: str | None = None
    resources: Resources | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] | None = None
    args: tuple[str, ...] | None = None
    workdir: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    reason: str | None = None
    detail: str | None = None
    timeline: tuple[TimelineEntry, ...] = ()

    @classmethod
    def pending(cls, spec: WeaverSpec, isolation: Isolation) -> Weaver:
        """The weaver that a spec becomes at first."""
        created = TimelineEntry(at=lifetime.rfc3339(spec.created_at), event="Created")
        return cls(
            id=spec.id,
            owner_user_id=spec.owner_user_id,
            org_id=spec.org_id,
            image=spec.image,
            created_at=spec.created_at,
            lifetime_hours=spec.lifetime_hours,
            isolation=isolation,
            repo_id=spec.repo_id,
            resources=spec.resources,
            tags=spec.tags,
            command=spec.command,
            args=spec.args,
            workdir=spec.workdir,
            timeline=(created,),
        )

    @property
    def expires_at(self) -> datetime:
        return lifetime.expires_at(self.created_at, self.lifetime_hours)

    @property
    def active(self) -> bool:
        """Whether it counts in a quota."""
        return self.status in ACTIVE

    def changed(self, at: datetime | None = None, event: str | None = None, **changes: Any) -> Weaver:
        """The next version of this weaver, with a line in its timeline where `event` names one."""
        timeline = self.timeline
        if at is not None and event is not None:
            entry = TimelineEntry(at=lifetime.rfc3339(at), event=event, detail=changes.get("detail"))
            timeline = (*timeline, entry)
        return replace(self, version=self.version + 1, timeline=timeline, **changes)

    def wire(self, now: datetime, viewers: int = 0) -> WeaverObject:
        return WeaverObject.model_construct(
            id=self.id,
            pod_name=pod_name(self.id),
            status=self.status,
            created_at=lifetime.rfc3339(self.created_at),
            image=self.image,
            tags=self.tags,
            lifetime_hours=self.lifetime_hours,
            age_hours=lifetime.age_hours(self.created_at, now),
            owner_user_id=self.owner_user_id,
            org_id=self.org_id,
            repo_id=self.repo_id,
            resources=self.resources,
            command=self.command,
            args=self.args,
            workdir=self.workdir,
            expires_at=lifetime.rfc3339(self.expires_at),
            started_at=_moment(self.started_at),
            finished_at=_moment(self.finished_at),
            exit_code=self.exit_code,
            reason=self.reason,
            detail=self.detail,
            isolation=self.isolation,
            timeline=self.timeline,
            viewers=viewers,
        )


def _moment(moment: datetime | None) -> str | None:
    return lifetime.rfc3339(moment) if moment else None
