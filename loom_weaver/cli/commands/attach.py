"""`loom-weaver attach`."""

from __future__ import annotations

from typing import Annotated

import typer

from loom_weaver.cli.arguments import Weaver
from loom_weaver.cli.detach_keys import DEFAULT, parse_detach_keys

EXAMPLES = """\
  loom-weaver attach demo                           ctrl-p ctrl-q leaves it running
  loom-weaver attach --detach-keys ctrl-x,d demo
  loom-weaver attach --no-stdin demo | tee output   only watch"""


def run(
    weaver: Weaver,
    detach_keys: Annotated[
        str, typer.Option(metavar="KEYS", help="Keys that leave the weaver running; empty: none.")
    ] = DEFAULT,
    scrollback: Annotated[
        bool, typer.Option("--scrollback/--no-scrollback", help="Begin with what was shown before.")
    ] = True,
    stdin: Annotated[
        bool, typer.Option("--stdin/--no-stdin", help="Type what comes on standard input.")
    ] = True,
) -> None:
    """Enter a weaver's terminal; several people may at the same time."""
    keys = parse_detach_keys(detach_keys)
    from loom_weaver.cli.api import Api
    from loom_weaver.cli.attaching import Manner, attach
    from loom_weaver.cli.streaming import stream
    from loom_weaver.cli.weavers import find

    api = Api()
    weaver_id = find(api, weaver)

    manner = Manner(keys, scrollback, stdin)
    raise typer.Exit(stream(api.server, lambda client: attach(client, weaver_id, manner)) or 0)
