"""`loom-weaver delete`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from loom_weaver.cli import exits
from loom_weaver.cli.api import Api
from loom_weaver.cli.arguments import Tags, complete_weaver
from loom_weaver.cli.output import remark, say
from loom_weaver.cli.weavers import WHOLE_ID, Weaver, choose, path_of
from loom_weaver.cli.words import tag_query
from loom_weaver.errors import BadRequest, LoomError, NotFound

EXAMPLES = """\
  loom-weaver delete weaver_abc123 7fq     by id, or its beginning
  loom-weaver delete --tag project=demo    all of yours with a tag
  loom-weaver delete --all-mine --yes      all of yours, without being asked"""
# So many are deleted at a slip of the hand before anybody asks.
UNASKED = 3


def run(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="WEAVER…", autocompletion=complete_weaver, help="Ids, beginnings, names."),
    ] = None,
    tag: Tags = None,
    all_mine: Annotated[bool, typer.Option("--all-mine", help="All of your own.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """End weavers, and drop their logs and files."""
    if not (names or tag or all_mine):
        raise BadRequest("name weavers, or give --tag KEY=VALUE or --all-mine")
    api = Api()
    ids = _chosen(api, names or [], tag, all_mine=all_mine)
    if (len(ids) > UNASKED or not names) and ids and not yes:
        _ask(ids)
    failed: LoomError | None = None
    for weaver_id in ids:
        try:
            api.delete(path_of(weaver_id))
            say(weaver_id, flush=True)
        except LoomError as error:
            exits.complain(f"{weaver_id}: {error.message}")
            failed = error
    if failed is not None:
        raise typer.Exit(exits.code_of(failed))


def _chosen(api: Api, names: list[str], tag: list[str] | None, *, all_mine: bool) -> list[str]:
    """Nothing is deleted where one of them cannot be found."""
    ids: list[str] = []
    if tag or all_mine:
        mine = api.get("/api/weavers", {"owner": "me", "tag": tag_query(tag)})["weavers"]
        ids += [weaver["id"] for weaver in mine if weaver["status"] != "terminating"]
        if not ids and not names:
            raise NotFound("none of your weavers has this tag" if tag else "you have no weavers")
    if all(WHOLE_ID.fullmatch(name) for name in names):
        ids += names
    else:
        present: list[Weaver] = api.get("/api/weavers")["weavers"]
        ids += [str(choose(present, name)["id"]) for name in names]
    return list(dict.fromkeys(ids))


def _ask(ids: list[str]) -> None:
    if not sys.stdin.isatty():
        raise BadRequest(f"this would delete {len(ids)} weavers; add --yes")
    for weaver_id in ids:
        remark(f"  {weaver_id}")
    sys.stderr.write(f"Delete {'this weaver' if len(ids) == 1 else f'these {len(ids)} weavers'}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        remark("Nothing was deleted.")
        raise typer.Exit(exits.FAILED)
