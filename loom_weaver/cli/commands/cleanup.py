"""`loom-weaver cleanup`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from loom_weaver.cli.api import Api
from loom_weaver.cli.output import remark, say, say_json

EXAMPLES = """\
  loom-weaver cleanup --dry-run
  loom-weaver cleanup"""


def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell which they would be.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As the API has it.")] = False,
) -> None:
    """Delete the weavers whose lifetime is over, now; for system admins."""
    report: dict[str, Any] = Api().post("/api/weavers/cleanup", {"dry_run": str(dry_run).lower()})
    if as_json:
        say_json(report)
        return
    for weaver_id in report["would_delete"] or report["deleted"] or ():
        say(weaver_id)
    weavers = f"{report['count']} weaver{'' if report['count'] == 1 else 's'}"
    remark(f"{weavers} would be deleted" if dry_run else f"{weavers} deleted")
