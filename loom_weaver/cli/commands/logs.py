"""`loom-weaver logs`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from loom_weaver.cli.arguments import Weaver

if TYPE_CHECKING:
    from loom_weaver.client.async_client import AsyncClient

EXAMPLES = """\
  loom-weaver logs demo
  loom-weaver logs -f --tail 20 demo             the last 20 lines, and what follows
  loom-weaver logs --since 10m --timestamps demo
  loom-weaver logs demo | grep -i error"""


def run(
    weaver: Weaver,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the weaver ends.")] = False,
    tail: Annotated[
        int | None,
        typer.Option("--tail", "-n", min=0, metavar="LINES", help="Only the last ones; 0: new ones."),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Only from then on: 30s, 10m, 2h, 1d ago, or RFC 3339.")
    ] = None,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", "-t", help="The time before each line.")
    ] = False,
) -> None:
    """Print what a weaver's terminal has shown, line by line."""
    from loom_weaver.cli.api import Api
    from loom_weaver.cli.log_printing import print_log
    from loom_weaver.cli.spans import ago
    from loom_weaver.cli.streaming import stream
    from loom_weaver.cli.weavers import find

    start = ago(since) if since else None
    api = Api()
    weaver_id = find(api, weaver)

    async def printed(client: AsyncClient) -> None:
        log = client.logs(weaver_id, tail=tail, since=start, follow=follow)
        await print_log(log, timestamps=timestamps)

    stream(api.server, printed)
