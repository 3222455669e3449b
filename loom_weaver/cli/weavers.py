"""Which weaver is meant: an id, the beginning of one, or the value of the tag `name`."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Sequence
from typing import Any

from loom_weaver.cli.api import Api
from loom_weaver.cli.text import cleaned
from loom_weaver.errors import NotFound

Weaver = dict[str, Any]
WHOLE_ID = re.compile(r"weaver_[a-z0-9]{16}")
LIVE = ("pending", "running")
# More would not help to choose.
CANDIDATES = 5


def path_of(weaver_id: str, rest: str = "") -> str:
    return f"/api/weaver/{urllib.parse.quote(weaver_id, safe='')}{rest}"


def find(api: Api, name: str) -> str:
    """Its id. Raises NotFound where nothing or more than one fits, naming those that do."""
    if WHOLE_ID.fullmatch(name):
        return name
    return str(choose(api.get("/api/weavers")["weavers"], name)["id"])


def choose(weavers: Sequence[Weaver], name: str) -> Weaver:
    """As docker does: a whole id first, then a name, then the beginning of an id.

    Of several with one name the only live one is meant.
    """
    for fits in (_is_id, _is_named, _begins):
        found = [weaver for weaver in weavers if fits(weaver, name)]
        live = [weaver for weaver in found if weaver["status"] in LIVE]
        if len(found) == 1 or (len(live) == 1 and fits is _is_named):
            return (live or found)[0]
        if found:
            raise NotFound(f"{cleaned(name)!r} fits several weavers: {_listed(found)}; write more of the id")
    raise NotFound(f"there is no weaver {cleaned(name)!r}; `loom-weaver ps` lists those there are")


def _is_id(weaver: Weaver, name: str) -> bool:
    return bool(weaver["id"] == name)


def _is_named(weaver: Weaver, name: str) -> bool:
    return bool(name) and weaver["tags"].get("name") == name


def _begins(weaver: Weaver, name: str) -> bool:
    whole = str(weaver["id"])
    return bool(name) and (whole.startswith(name) or whole.removeprefix("weaver_").startswith(name))


def _listed(weavers: Sequence[Weaver]) -> str:
    names = [str(weaver["id"]) for weaver in weavers[:CANDIDATES]]
    more = len(weavers) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
