"""`loom-weaver events`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from loom_weaver.cli.arguments import Tags
from loom_weaver.cli.words import pair

if TYPE_CHECKING:
    from loom_weaver.client.async_client import AsyncClient

EXAMPLES = """\
  loom-weaver events
  loom-weaver events --tag project=demo
  loom-weaver events --present --json | jq -r '.event + " " + .weaver.id'"""


def run(
    tag: Tags = None,
    present: Annotated[
        bool, typer.Option("--present", help="Begin with those that are there already.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
) -> None:
    """Tell what becomes of weavers, until Ctrl-C."""
    tags = dict(pair(each, "--tag") for each in tag or ())
    from loom_weaver.cli.event_lines import print_events
    from loom_weaver.cli.streaming import stream
    from loom_weaver.client.discovery import find_server

    async def told(client: AsyncClient) -> None:
        await print_events(client.events(), as_json=as_json, present=present, tags=tags)

    stream(find_server(), told)
