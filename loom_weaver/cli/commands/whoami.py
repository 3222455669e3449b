"""`loom-weaver whoami`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from loom_weaver.cli.api import Api
from loom_weaver.cli.output import say, say_json
from loom_weaver.cli.text import cleaned

EXAMPLES = """\
  loom-weaver whoami
  loom-weaver whoami --json | jq -r .default_org_id"""


def run(
    as_json: Annotated[bool, typer.Option("--json", help="As the API has it.")] = False,
) -> None:
    """Tell which server is called, as whom, and what it offers."""
    api = Api()
    me: dict[str, Any] = api.get("/api/weavers/me")
    if as_json:
        say_json(me)
        return
    facts = {
        "server": api.server.url,
        "user": f"{me['user']['name']} ({me['user']['id']})",
        "roles": ", ".join(me["roles"]) or "none",
        "organizations": ", ".join(map(_org, me["orgs"])) or "none: you cannot create weavers",
        "quota": _quota(me["quotas"].get("per_user", {})),
        "runtime": f"{me['runtime']['name']}, isolation {me['runtime']['isolation']['kind']}",
        "images": ", ".join(me["runtime"].get("images") or ()) or me["runtime"]["default_image"],
    }
    for name, value in facts.items():
        say(f"{name + ':':<15}{cleaned(value)}")


def _org(org: dict[str, str]) -> str:
    return f"{org['name']} ({org['role']}, {org['id']})"


def _quota(quota: dict[str, Any]) -> str:
    used = quota.get("used")
    limit = quota.get("limit")
    return f"{used} of {limit} weavers" if limit else f"{used} weavers, no limit"
