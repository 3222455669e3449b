"""The shapes of the wire, strict: what weavers.md and the contract say, and nothing else passes."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from loom_weaver.images import parse_image
from loom_weaver.lifetime import DEFAULT_HOURS, MAX_HOURS
from loom_weaver.quantities import cpu_cores, memory_bytes

# Linux starts no process with an argument or `NAME=value` longer than this (MAX_ARG_STRLEN, less its NUL).
LONGEST_STRING = 131_071
# All of them together, far below what execve takes and what a Kubernetes object holds.
LARGEST_ENVIRONMENT = 256 * 1024
ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MAX_TAGS, LONGEST_TAG_KEY, LONGEST_TAG_VALUE = 64, 63, 256
TERMINAL_SIZE_MAX = 1000

Status = Literal["pending", "running", "succeeded", "failed", "terminating"]
STATUSES: tuple[Status, ...] = ("pending", "running", "succeeded", "failed", "terminating")


def fault(message: str, field: str | None = None) -> PydanticCustomError:
    """A validation fault with our own words; `field` names the culprit where pydantic cannot know it."""
    return PydanticCustomError("loom", "{message}", {"message": message, "field": field})


def _text(value: str) -> str:
    if "\0" in value:
        raise fault("must not hold a NUL character")
    return _encodable(value)


def _encodable(value: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise fault("must not hold a lone surrogate")
    return value


def _checked_by(check: Callable[[str], object]) -> AfterValidator:
    def validate(value: str) -> str:
        try:
            check(value)
        except ValueError as error:
            raise fault(str(error)) from error
        return value

    return AfterValidator(validate)


def _uuid(value: str) -> None:
    try:
        canonical = str(uuid.UUID(value)) == value.lower()
    except ValueError:
        canonical = False
    if not canonical:
        raise ValueError("must be a UUID such as 550e8400-e29b-41d4-a716-446655440000")


def _workdir(value: str) -> None:
    if not value.startswith("/"):
        raise ValueError("must be an absolute path such as /tmp")
    if len(value.encode()) > 4095:
        raise ValueError("must be at most 4095 bytes, the longest path of Linux")


def _argument(value: str) -> None:
    if len(value.encode()) > LONGEST_STRING:
        raise ValueError(f"must be at most {LONGEST_STRING} bytes, the longest argument of Linux")


def _env_name(value: str) -> None:
    if not ENV_NAME.fullmatch(value):
        raise ValueError("the name must match [A-Za-z_][A-Za-z0-9_]*")


def _tag_key(value: str) -> None:
    if not 1 <= len(value) <= LONGEST_TAG_KEY or ":" in value:
        raise ValueError(f"a tag's key must have 1 to {LONGEST_TAG_KEY} characters and no colon")


def _tag_value(value: str) -> None:
    if len(value) > LONGEST_TAG_VALUE:
        raise ValueError(f"a tag's value must have at most {LONGEST_TAG_VALUE} characters")


def _few_tags(value: dict[str, str]) -> dict[str, str]:
    if len(value) > MAX_TAGS:
        raise fault(f"must have at most {MAX_TAGS} tags")
    return value


def _lifetime(value: int) -> int:
    if not 1 <= value <= MAX_HOURS:
        raise fault(f"must be from 1 to {MAX_HOURS} hours")
    return value


Text = Annotated[str, AfterValidator(_text)]
Image = Annotated[Text, _checked_by(parse_image)]
OrgId = Annotated[Text, _checked_by(_uuid), AfterValidator(str.lower)]
Memory = Annotated[Text, _checked_by(memory_bytes)]
Cpu = Annotated[Text, _checked_by(cpu_cores)]
Argument = Annotated[Text, _checked_by(_argument)]
Workdir = Annotated[Text, _checked_by(_workdir)]
EnvName = Annotated[Text, _checked_by(_env_name)]
LifetimeHours = Annotated[
    int, AfterValidator(_lifetime), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MAX_HOURS})
]
TagKey = Annotated[Text, _checked_by(_tag_key)]
TagValue = Annotated[Text, _checked_by(_tag_value)]
Tags = Annotated[dict[TagKey, TagValue], AfterValidator(_few_tags)]


class Strict(BaseModel):
    """A request body: no coercion, no unknown field."""

    # Values stay out of error texts: they may be secrets.
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


def check_environment(env: dict[str, str], arguments: list[str]) -> None:
    """Raise a fault that names the entry for what Linux would not start a process with."""
    total = sum(len(argument.encode()) + 1 for argument in arguments)
    for name, value in env.items():
        size = len(name) + 1 + len(value.encode())
        if size > LONGEST_STRING:
            raise fault(f"NAME=value must be at most {LONGEST_STRING} bytes, this has {size}", f"env.{name}")
        total += size + 1
    if total > LARGEST_ENVIRONMENT:
        raise fault(f"env, command and args together must be at most {LARGEST_ENVIRONMENT} bytes", "env")


class Resources(Strict):
    memory_limit: Memory | None = Field(default=None, examples=["4Gi"], description="Kubernetes quantity")
    cpu_limit: Cpu | None = Field(default=None, examples=["2", "500m"], description="Kubernetes quantity")

    def memory(self) -> int | None:
        return memory_bytes(self.memory_limit) if self.memory_limit else None

    def cpu(self) -> Decimal | None:
        return cpu_cores(self.cpu_limit) if self.cpu_limit else None


class CreateWeaver(Strict):
    image: Image = Field(examples=["python"], description="Container image to run")
    org_id: OrgId = Field(description="Organization ID (UUID) that the caller is a member of")
    repo_id: Text | None = Field(
        default=None, description="Repository whose secrets the weaver gets as environment"
    )
    env: dict[EnvName, Text] = Field(default_factory=dict)
    resources: Resources | None = None
    tags: Tags = Field(default_factory=dict)
    lifetime_hours: LifetimeHours = DEFAULT_HOURS
    command: list[Argument] | None = Field(
        default=None, description="Replaces the image's ENTRYPOINT, and drops its CMD"
    )
    args: list[Argument] | None = Field(default=None, description="Replaces the image's CMD")
    workdir: Workdir | None = None

    @model_validator(mode="after")
    def _startable(self) -> Self:
        check_environment(self.env, [*(self.command or ()), *(self.args or ())])
        return self


class ExtendWeaver(Strict):
    lifetime_hours: LifetimeHours


class ExecRequest(Strict):
    command: list[Argument] = Field(min_length=1)
    # A program may well read a NUL.
    stdin: Annotated[str, AfterValidator(_encodable)] | None = None
    stdin_base64: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]*={0,2}$")] | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=86_400)] = 300


class ExecResult(BaseModel):
    exit_code: int | None
    stdout: str
    stderr: str
    timed_out: bool
    stdout_truncated: bool
    stderr_truncated: bool
    warning: str | None = None


NO_ISOLATION = "none"


class Isolation(BaseModel):
    """What keeps a weaver in: `kind` names the means, `enforced` what is truly in force."""

    model_config = ConfigDict(frozen=True)
    kind: str
    enforced: list[str]


class TimelineEntry(BaseModel):
    model_config = ConfigDict(frozen=True)
    at: str
    event: str
    detail: str | None = None


class WeaverObject(BaseModel):
    """A weaver as the API shows it; times are RFC 3339 in UTC."""

    id: str
    pod_name: str
    status: Status
    created_at: str
    image: str
    tags: dict[str, str]
    lifetime_hours: int
    age_hours: float
    owner_user_id: str
    org_id: str
    repo_id: str | None
    resources: Resources | None
    command: list[str] | None
    args: list[str] | None
    workdir: str | None
    expires_at: str
    started_at: str | None
    finished_at: str | None
    exit_code: int | None
    reason: str | None
    detail: str | None
    isolation: Isolation
    timeline: list[TimelineEntry]
    viewers: int


class WeaverList(BaseModel):
    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)
    weavers: list[WeaverObject]
    count: int
    continue_: str | None = Field(default=None, alias="continue")


class CleanupReport(BaseModel):
    dry_run: bool
    deleted: list[str] | None
    would_delete: list[str] | None
    count: int


class Me(BaseModel):
    """`GET /api/weavers/me`."""

    user: dict[str, str]
    roles: list[str]
    orgs: list[dict[str, str]]
    default_org_id: str | None
    quotas: dict[str, Any]
    runtime: dict[str, Any]


class Health(BaseModel):
    """`GET /health`; who is known is told more."""

    model_config = ConfigDict(extra="allow")
    status: Literal["ok"] = "ok"


class ErrorDetail(BaseModel):
    field: str
    message: str


class Error(BaseModel):
    error: str
    message: str
    details: list[ErrorDetail] | None = None
