"""What each `%weaver COMMAND` does; what it returns is the value of the line."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from loom_weaver.client.errors import WeaverEnded
from loom_weaver.errors import BadRequest, LoomError, NotFound
from loom_weaver.magics.starting import create, wait_until_running

if TYPE_CHECKING:
    import argparse

    from loom_weaver.client.items import LogItem
    from loom_weaver.magics.house import House


def new(house: House, options: argparse.Namespace) -> Any:
    """The weaver; it runs, unless `--detach` is given."""
    weaver = create(house.client, options)
    house.last = weaver.id
    if not options.detach:
        # One that is done already tells so itself.
        with suppress(WeaverEnded):
            wait_until_running(weaver)
    return weaver


def ps(house: House, options: argparse.Namespace) -> Any:
    """A table; with `--quiet` a list of ids."""
    from loom_weaver.cli.weaver_table import table

    weavers = house.client.list(tags=_tags(options.tag), mine=not options.all)
    if options.quiet:
        return [weaver.id for weaver in weavers]
    for line in table([weaver.model_dump() for weaver in weavers], colours=shows_colours()):
        print(line)  # noqa: T201 - this is what the magic is for
    return None


def logs(house: House, options: argparse.Namespace) -> None:
    """With `--follow` until the weaver ends, or Ctrl-C."""
    from loom_weaver.cli.spans import ago

    since = ago(options.since) if options.since else None
    weaver = house.weaver(options.weaver)
    with weaver.logs(tail=options.tail, since=since, follow=options.follow) as log:
        try:
            for item in log:
                sys.stdout.write(_line(item, timestamps=options.timestamps))
                if options.follow:
                    sys.stdout.flush()
        except KeyboardInterrupt:
            # The usual way to stop following; nothing is wrong.
            return


def attach(house: House, options: argparse.Namespace) -> Any:
    """In a notebook a terminal; in a terminal the weaver's own, until it ends or Ctrl-P Ctrl-Q."""
    from loom_weaver.client.discovery import find_server

    weaver = house.weaver(options.weaver)
    if in_a_kernel():
        from loom_weaver.widgets import WeaverTerminal

        return WeaverTerminal(weaver)
    server = find_server()
    subprocess.run(
        [sys.executable, "-m", "loom_weaver.cli", "attach", weaver.id],
        env=os.environ | {"LOOM_WEAVER_URL": server.url, "LOOM_WEAVER_API_KEY": server.key},
        check=False,
    )
    return None


def extend(house: House, options: argparse.Namespace) -> None:
    """Tells when it ends now."""
    from loom_weaver.cli.lifetimes import hours
    from loom_weaver.cli.spans import until

    asked = hours(options.lifetime, "LIFETIME")
    changed = house.client.extend(house.find(options.weaver), asked)
    print(f"{changed.id} ends in {until(changed.expires_at)}, at {changed.expires_at}")  # noqa: T201


def delete(house: House, options: argparse.Namespace) -> None:
    """Each that is named, or that has the tags; nothing where one cannot be found."""
    failed: LoomError | None = None
    for weaver_id in _chosen(house, options):
        try:
            house.delete(weaver_id)
            print(f"{weaver_id} is deleted")  # noqa: T201
        except LoomError as error:
            print(f"{weaver_id}: {error.message}", file=sys.stderr)  # noqa: T201
            failed = error
    if failed is not None:
        raise failed


def _chosen(house: House, options: argparse.Namespace) -> list[str]:
    if not (options.weavers or options.tag or options.all_mine):
        raise BadRequest("name weavers, or give --tag KEY=VALUE or --all-mine")
    ids = [house.find(name) for name in options.weavers]
    if options.tag or options.all_mine:
        mine = house.client.list(tags=_tags(options.tag), mine=True)
        ids += [weaver.id for weaver in mine if weaver.status != "terminating"]
    if not ids:
        raise NotFound("none of your weavers has this tag" if options.tag else "you have no weavers")
    return list(dict.fromkeys(ids))


def _tags(asked: list[str]) -> dict[str, str]:
    from loom_weaver.cli.words import pair

    return dict(pair(tag, "--tag") for tag in asked)


def _line(item: LogItem, *, timestamps: bool) -> str:
    from loom_weaver.cli.text import cleaned_but_colours, last_drawn
    from loom_weaver.client.items import LogGap

    if isinstance(item, LogGap):
        return f"{item}\n"
    before = f"{item.timestamp} " if timestamps and item.timestamp else ""
    return f"{before}{cleaned_but_colours(last_drawn(item.text))}\n"


def shows_colours() -> bool:
    """In a notebook too, which draws them."""
    from loom_weaver.cli.output import shows_colours as terminal_shows_colours

    return terminal_shows_colours() or (in_a_kernel() and not os.environ.get("NO_COLOR"))


def in_a_kernel() -> bool:
    """Whether the reader sits at a notebook, not at a terminal."""
    from IPython.core.getipython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None
