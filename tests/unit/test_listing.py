"""Pages of lists."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest

from loom_weaver.errors import BadRequest
from loom_weaver.lifetime import utc_now
from loom_weaver.listing import ListQuery, continue_token, parse_continue, parse_tag, position, select
from loom_weaver.models import Isolation
from loom_weaver.weaver import Weaver, WeaverSpec

NOW = utc_now()


def weaver(number: int, age: int = 0) -> Weaver:
    spec = WeaverSpec(
        id=f"weaver_{number}",
        owner_user_id="u",
        org_id="o",
        image="python",
        created_at=NOW - timedelta(seconds=age),
        lifetime_hours=1,
    )
    return Weaver.pending(spec, Isolation(kind="none", enforced=[]))


def test_newest_first_then_by_id() -> None:
    page, token = select(ListQuery(), [weaver(2, age=5), weaver(3), weaver(1), weaver(4, age=9)])
    assert [each.id for each in page] == ["weaver_1", "weaver_3", "weaver_2", "weaver_4"]
    assert token is None


def test_pages_cover_everything_once() -> None:
    weavers = [weaver(number, age=number // 3) for number in range(10)]
    seen: list[str] = []
    page, token = select(ListQuery(limit=3), weavers)
    seen += [each.id for each in page]
    while token:
        page, token = select(ListQuery(limit=3, after=parse_continue(token)), weavers)
        seen += [each.id for each in page]
    assert seen == [each.id for each in sorted(weavers, key=position)]


def test_a_token_leads_back_to_its_place() -> None:
    assert parse_continue(continue_token(weaver(7))) == position(weaver(7))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "=",
        "é",
        "W10",
        "bnVsbA",
        "[1,2]",
        *(
            base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
            for value in ([1, 2], ["a", "b"], [True, "x"], [1.5, "x"], [1, "x", 2], {"a": 1}, 1)
        ),
    ],
)
def test_not_a_token(text: str) -> None:
    with pytest.raises(BadRequest):
        parse_continue(text)


@pytest.mark.parametrize(("text", "tag"), [("k:v", ("k", "v")), ("k:", ("k", "")), ("k:a:b", ("k", "a:b"))])
def test_tags(text: str, tag: tuple[str, str]) -> None:
    assert parse_tag(text) == tag


@pytest.mark.parametrize("text", ["", "k", ":v", ":"])
def test_not_a_tag(text: str) -> None:
    with pytest.raises(BadRequest):
        parse_tag(text)
