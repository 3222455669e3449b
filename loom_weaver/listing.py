"""Which weavers a list holds, in which order, and where its next page begins."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass

from loom_weaver.errors import BadRequest
from loom_weaver.models import Status
from loom_weaver.weaver import Weaver

Position = tuple[int, str]
NOT_GIVEN = "is not a token that a list gave; leave it out to begin with the first page"


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What to list. `tags` are ANDed; `after` is the position of the last weaver that the caller has."""

    tags: tuple[tuple[str, str], ...] = ()
    status: Status | None = None
    org_id: str | None = None
    owner_user_id: str | None = None
    limit: int | None = None
    after: Position | None = None


def select(query: ListQuery, weavers: Iterable[Weaver]) -> tuple[list[Weaver], str | None]:
    """The page that `query` asks for, newest first, and the token of the next one."""
    found = sorted((weaver for weaver in weavers if _matches(query, weaver)), key=position)
    if query.after is not None:
        found = [weaver for weaver in found if position(weaver) > query.after]
    if query.limit is None or len(found) <= query.limit:
        return found, None
    page = found[: query.limit]
    return page, continue_token(page[-1])


def parse_tag(text: str) -> tuple[str, str]:
    """`k:v`, split at the first colon; raises BadRequest for what can name no tag."""
    key, colon, value = text.partition(":")
    if not colon or not key:
        raise BadRequest("must be KEY:VALUE, such as project:ai-worker", field="tag")
    return key, value


def position(weaver: Weaver) -> Position:
    """Where a weaver stands in every list: its place never changes, so pages neither skip nor repeat."""
    return (-_milliseconds(weaver), weaver.id)


def continue_token(last: Weaver) -> str:
    text = json.dumps(position(last), separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def parse_continue(token: str) -> Position:
    try:
        text = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        place = json.loads(text)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise BadRequest(NOT_GIVEN, field="continue") from error
    match place:
        case [int(moment), str(weaver_id)] if not isinstance(moment, bool):
            return moment, weaver_id
    raise BadRequest(NOT_GIVEN, field="continue")


def _matches(query: ListQuery, weaver: Weaver) -> bool:
    return (
        (query.status is None or weaver.status == query.status)
        and (query.org_id is None or weaver.org_id == query.org_id)
        and (query.owner_user_id is None or weaver.owner_user_id == query.owner_user_id)
        and all(weaver.tags.get(key) == value for key, value in query.tags)
    )


def _milliseconds(weaver: Weaver) -> int:
    return round(weaver.created_at.timestamp() * 1000)
