"""`loom-weaver exec`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from loom_weaver.cli.arguments import Weaver
from loom_weaver.cli.words import command_of

if TYPE_CHECKING:
    from loom_weaver.client.async_client import AsyncClient

SETTINGS = {"allow_interspersed_args": False}
EXAMPLES = """\
  loom-weaver exec demo -- ls -la
  loom-weaver exec -it demo -- bash                      a shell beside the program
  tar -c src | loom-weaver exec -i demo -- tar -x        bytes arrive as they are
  loom-weaver exec demo -- test -f done && echo done     its exit code is ours"""


def run(
    weaver: Weaver,
    command: Annotated[
        list[str],
        typer.Argument(metavar="COMMAND…", help="Behind --; no shell is added.", show_default=False),
    ],
    interactive: Annotated[
        bool, typer.Option("--interactive", "-i", help="Give it our standard input; else it has none.")
    ] = False,
    tty: Annotated[bool, typer.Option("--tty", "-t", help="Give it a terminal.")] = False,
) -> None:
    """Run a command in a running weaver."""
    words = command_of(command)
    from loom_weaver.cli.api import Api
    from loom_weaver.cli.executing import execute
    from loom_weaver.cli.streaming import stream
    from loom_weaver.cli.weavers import find

    api = Api()
    weaver_id = find(api, weaver)

    async def executed(client: AsyncClient) -> int:
        return await execute(client, weaver_id, words, interactive=interactive, tty=tty)

    raise typer.Exit(stream(api.server, executed))
