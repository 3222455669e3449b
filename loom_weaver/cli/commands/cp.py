"""`loom-weaver cp`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from loom_weaver.cli.arguments import complete_place

if TYPE_CHECKING:
    from loom_weaver.client.async_client import AsyncClient

EXAMPLES = """\
  loom-weaver cp notes.txt demo:                 into its working directory
  loom-weaver cp demo:results ./results          a folder, with all that is in it
  loom-weaver cp src/. demo:/tmp/src             what is in src, without src itself
  loom-weaver cp demo:model.bin .
  loom-weaver cp demo:results - | gzip > r.tgz   as a tar archive, and the other way round"""
PLACE = "WEAVER:PATH, a path here, or - for a tar archive on standard input or output"


def run(
    source: Annotated[str, typer.Argument(metavar="SOURCE", autocompletion=complete_place, help=PLACE)],
    target: Annotated[str, typer.Argument(metavar="TARGET", autocompletion=complete_place, help=PLACE)],
) -> None:
    """Copy a file or a folder into a weaver, or out of one, as `docker cp` does."""
    from loom_weaver.cli.api import Api
    from loom_weaver.cli.copying import STREAM, archive_in, archive_out, copy_in, copy_out, parse_place
    from loom_weaver.cli.streaming import stream
    from loom_weaver.cli.weavers import find
    from loom_weaver.errors import BadRequest

    origin, goal = parse_place(source), parse_place(target)
    if (origin.weaver is None) == (goal.weaver is None):
        raise BadRequest("exactly one of SOURCE and TARGET is in a weaver: WEAVER:PATH")
    api = Api()
    weaver_id = find(api, origin.weaver or goal.weaver or "")

    async def copied(client: AsyncClient) -> int:
        if source == STREAM:
            return await archive_in(client, weaver_id, goal)
        if target == STREAM:
            return await archive_out(client, weaver_id, origin)
        await (copy_in if origin.weaver is None else copy_out)(client, weaver_id, origin, goal)
        return 0

    raise typer.Exit(stream(api.server, copied))
