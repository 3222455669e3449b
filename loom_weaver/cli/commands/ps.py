"""`loom-weaver ps`."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

from loom_weaver.cli.api import Api, Query
from loom_weaver.cli.arguments import Tags
from loom_weaver.cli.output import say, say_json, shows_colours
from loom_weaver.cli.weaver_table import table
from loom_weaver.cli.words import pair, tag_query
from loom_weaver.errors import BadRequest

EXAMPLES = """\
  loom-weaver ps                          your weavers
  loom-weaver ps --watch                  and what becomes of them, until Ctrl-C
  loom-weaver ps -q --tag project=demo    only ids, of those with a tag
  loom-weaver ps --json | jq '.[].status'"""


def run(
    everybodys: Annotated[
        bool, typer.Option("--all", "-a", help="Everybody's that you may see, not only your own.")
    ] = False,
    tag: Tags = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only ids, one a line.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As the API has them, a JSON array.")] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on, and show every change.")] = False,
) -> None:
    """List weavers: their state, age, and the time they have left."""
    if watch:
        if quiet or as_json:
            raise BadRequest("shows a table; `loom-weaver events --json` is for programs", field="--watch")
        from loom_weaver.cli.watching import watch_weavers

        watch_weavers(tags=dict(pair(each, "--tag") for each in tag or ()), everybodys=everybodys)
        return
    query: Query = {"tag": tag_query(tag)} | ({} if everybodys else {"owner": "me"})
    weavers: list[dict[str, Any]] = Api().get("/api/weavers", query)["weavers"]
    if as_json:
        say_json(weavers)
    elif quiet:
        for weaver in weavers:
            say(weaver["id"])
    else:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns if sys.stdout.isatty() else None
        for line in table(weavers, columns, colours=shows_colours()):
            say(line)
