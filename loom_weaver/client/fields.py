"""How a weaver is asked for, and how long a client waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, TypedDict

from loom_weaver.models import WeaverObject

Command = Sequence[str]
Path = str | PathLike[str]
Weavers = list[WeaverObject]


class WeaverFields(TypedDict, total=False):
    """Keyword arguments of `create`, `weaver` and `map`: the fields of `POST /api/weaver`, and a key.

    `org_id` is by default the caller's `default_org_id`. `idempotency_key` makes a repeated call return the
    first weaver again; by default each call makes a fresh one, so that its own retries never create two.
    """

    org_id: str
    repo_id: str
    env: Mapping[str, str]
    memory_limit: str
    cpu_limit: str
    tags: Mapping[str, str]
    lifetime_hours: int
    command: Sequence[str]
    args: Sequence[str]
    workdir: str
    idempotency_key: str


class ListFields(TypedDict, total=False):
    """Keyword arguments of `list`: only weavers with all of these `tags`, in this `status` and so on."""

    tags: Mapping[str, str]
    status: str
    org_id: str
    mine: bool
    limit: int


LIMITS = ("memory_limit", "cpu_limit")
NOT_IN_THE_BODY = frozenset({"org_id", "idempotency_key", *LIMITS})
KNOWN = WeaverFields.__annotations__.keys()


def creation_body(image: str | None, org_id: str | None, fields: WeaverFields) -> dict[str, Any]:
    """The JSON of `POST /api/weaver`. Raises TypeError for a field that there is none."""
    unknown = fields.keys() - KNOWN
    if unknown:
        raise TypeError(f"a weaver has no field {min(unknown)!r}; it has: {', '.join(sorted(KNOWN))}")
    body: dict[str, Any] = {"image": image, "org_id": org_id}
    for name, value in fields.items():
        if name not in NOT_IN_THE_BODY and value is not None:
            body[name] = checked_command(value) if name in ("command", "args") else value
    limits = {name: fields.get(name) for name in LIMITS if fields.get(name) is not None}
    return {**body, "resources": limits} if limits else body


def checked_command(command: Any) -> list[str]:
    """Raise TypeError for a string: it would be taken apart into its characters."""
    if isinstance(command, str | bytes):
        raise TypeError(f"a command is a list of strings; for a shell: ['sh', '-c', {command!r}]")
    return list(command)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """All in seconds."""

    call: float = 30.0
    """How long one request may take to be answered, or to move its next bytes."""
    retry: float = 30.0
    """How long a call that may safely be repeated goes on trying a server that is away or starting."""
    reconnect: float = 300.0
    """How long a stream that lost its server goes on trying, before it raises ConnectionFailed."""
    idle: float = 45.0
    """After so long without a byte a stream is taken for dead: servers send a comment every 15 s."""


DEFAULT_TIMEOUTS = Timeouts()
