"""How a weaver is asked for, and how long a client waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict


class WeaverFields(TypedDict, total=False):
    """Keyword arguments of `create`, `weaver` and `map`: the fields of `POST /api/weaver`, and a key.

    `org_id` is by default the caller's `default_org_id`. `idempotency_key` makes a repeated call return the first
    weaver again; by default each call makes a fresh one, so that its own retries never create two.
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
