"""What a verb of a handler says about itself, for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel

Verb = TypeVar("Verb", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Argument:
    """A query argument or header: its name, JSON schema and a sentence."""

    name: str
    schema: Mapping[str, Any]
    description: str
    place: str = "query"


@dataclass(frozen=True, slots=True)
class Operation:
    """One verb on one path. `answers` leads from a status to a model, a media type or None."""

    summary: str
    answers: Mapping[int, type[BaseModel] | str | None]
    body: type[BaseModel] | None = None
    body_types: tuple[str, ...] = ("application/json",)
    arguments: tuple[Argument, ...] = ()
    errors: tuple[int, ...] = ()
    """Statuses besides those that every call of its kind may answer."""
    also: tuple[str, ...] = ()
    """Further media types that the answer may have."""
    links: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """From an operation id to its parameters that fields of this answer fill."""
    link_bodies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """From an operation id to the body it is sent, with expressions for fields of this answer."""

    @property
    def has_body(self) -> bool:
        return self.body is not None or self.body_types != ("application/json",)


def operation(described: Operation) -> Callable[[Verb], Verb]:
    """Attach a description to a handler's verb."""

    def attach(verb: Verb) -> Verb:
        verb.operation = described  # type: ignore[attr-defined]
        return verb

    return attach
