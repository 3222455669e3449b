"""Arguments and options that several commands take, with their completion."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from loom_weaver.errors import BadRequest, LoomError


def complete_weaver(incomplete: str) -> list[tuple[str, str]]:
    """Ids of present weavers and their names; nothing where no server answers."""
    from loom_weaver.cli.api import Api
    from loom_weaver.cli.text import cleaned

    try:
        weavers = Api().get("/api/weavers")["weavers"]
    except LoomError:
        return []
    found = []
    for weaver in weavers:
        name = weaver["tags"].get("name", "")
        told = f"{weaver['status']} {cleaned(weaver['image'])} {cleaned(name)}".rstrip()
        found.append((str(weaver["id"]), told))
        if name and cleaned(name) == name and " " not in name:
            found.append((name, f"{weaver['id']} {weaver['status']}"))
    return [(value, told) for value, told in found if value.startswith(incomplete)]


Weaver = Annotated[
    str,
    typer.Argument(
        metavar="WEAVER", autocompletion=complete_weaver, help="Id, its beginning, or tag `name`."
    ),
]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", metavar="KEY=VALUE", help="Only with this tag; may be repeated.")
]


def given_or_asked(question: str, what: str) -> str:
    """From a person at the terminal. Raises BadRequest where nobody is there."""
    if not sys.stdin.isatty():
        raise BadRequest(f"{what} is missing")
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def complete_place(incomplete: str) -> list[tuple[str, str]]:
    """Weavers with the colon that `cp` wants; paths are the shell's affair."""
    return [(f"{value}:", told) for value, told in complete_weaver(incomplete.partition(":")[0])]
