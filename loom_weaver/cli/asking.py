"""From the options of `new` to the fields of a weaver."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from loom_weaver.cli.lifetimes import hours
from loom_weaver.cli.text import cleaned
from loom_weaver.cli.words import command_of, pair
from loom_weaver.errors import BadRequest

if TYPE_CHECKING:
    from loom_weaver.client.async_client import AsyncClient
    from loom_weaver.client.fields import WeaverFields

# Far beyond what a weaver's environment may hold.
LARGEST_ENV_FILE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """As it was typed."""

    command: tuple[str, ...] = ()
    name: str | None = None
    org: str | None = None
    env: tuple[str, ...] = field(default=(), repr=False)
    env_files: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    ttl: str | None = None
    cpu: str | None = None
    memory: str | None = None
    workdir: str | None = None


async def fields_of(client: AsyncClient, wanted: Wanted) -> WeaverFields:
    """Raises BadRequest that names the option."""
    fields = fields_but_org(wanted)
    if wanted.org is not None:
        fields["org_id"] = org_id((await client.me()).orgs, wanted.org)
    return fields


def fields_but_org(wanted: Wanted) -> WeaverFields:
    """For what `org` means, a server has to be asked: `org_id`."""
    tags = dict(pair(tag, "--tag") for tag in wanted.tags)
    if wanted.name:
        tags["name"] = wanted.name
    fields: WeaverFields = {"tags": tags, "env": environment(wanted.env, wanted.env_files)}
    if wanted.command:
        fields["command"] = command_of(wanted.command)
    if wanted.ttl is not None:
        fields["lifetime_hours"] = hours(wanted.ttl, "--ttl")
    if wanted.cpu is not None:
        fields["cpu_limit"] = wanted.cpu
    if wanted.memory is not None:
        fields["memory_limit"] = wanted.memory
    if wanted.workdir is not None:
        fields["workdir"] = wanted.workdir
    return fields


def environment(
    env: tuple[str, ...], files: tuple[str, ...], own: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """What `-e` says wins over what a file says, and the last over the first. KEY alone takes our own value.

    A KEY that we have not is left out, as docker does.
    """
    entries = [line for name in files for line in _lines(name)] + list(env)
    found = {}
    for entry in entries:
        key, given, value = entry.partition("=")
        if not key:
            raise BadRequest("write KEY=VALUE, or KEY for our own value", field="--env")
        if given or key in own:
            found[key] = value if given else own[key]
    return found


def _lines(name: str) -> list[str]:
    try:
        with Path(name).open("rb") as file:
            text = file.read(LARGEST_ENV_FILE + 1).decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise BadRequest(f"cannot read {name}: {reason}", field="--env-file") from error
    if len(text) > LARGEST_ENV_FILE:
        raise BadRequest(f"{name} is too large for an environment", field="--env-file")
    lines = [line.lstrip() for line in text.split("\n")]
    return [line.removesuffix("\r") for line in lines if line.strip() and not line.startswith("#")]


def org_id(orgs: Sequence[Mapping[str, str]], wanted: str) -> str:
    """Of the organization that is meant, by id or name."""
    found = [org["id"] for org in orgs if wanted in (org["id"], org["name"])]
    if len(found) == 1:
        return found[0]
    names = ", ".join(cleaned(org["name"]) for org in orgs) or "none"
    raise BadRequest(f"you are in no organization {wanted!r}; yours: {names}", field="--org")
