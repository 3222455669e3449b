"""The text of a weaver is that of its model, however often it is asked for."""

from __future__ import annotations

import json
from datetime import timedelta

from loom_weaver.lifetime import utc_now
from loom_weaver.models import Isolation, Resources
from loom_weaver.names import new_id
from loom_weaver.weaver import Weaver, WeaverSpec
from loom_weaver.weaver_json import SWEPT_AT, WeaverJSON

NOW = utc_now()


def weaver(**fields: object) -> Weaver:
    spec = WeaverSpec(
        id=new_id("weaver"),
        owner_user_id="u",
        org_id="o",
        image="python",
        created_at=NOW,
        lifetime_hours=12,
        tags={"k": 'é"\\\n'},
        resources=Resources(memory_limit="4Gi"),
        command=("sh", "-c", "exit"),
        **fields,  # type: ignore[arg-type]
    )
    return Weaver.pending(spec, Isolation(kind="none", enforced=["rlimits"]))


def test_the_text_is_that_of_the_model() -> None:
    one = weaver()
    later = NOW + timedelta(hours=2.5)
    text = WeaverJSON(lambda _: 3).one(one, later)
    assert json.loads(text) == json.loads(one.wire(later, 3).model_dump_json(warnings=False))


def test_a_change_shows_at_once() -> None:
    texts, viewers = {}, 0
    rendering = WeaverJSON(lambda _: viewers)
    one = weaver()
    texts["first"] = rendering.one(one, NOW)
    viewers = 1
    assert json.loads(rendering.one(one, NOW))["viewers"] == 1
    assert json.loads(rendering.one(one, NOW + timedelta(hours=1)))["age_hours"] == 1.0
    changed = one.changed(status="running")
    assert json.loads(rendering.one(changed, NOW))["status"] == "running"
    viewers = 0
    assert rendering.one(one, NOW) == texts["first"]


async def test_pages() -> None:
    rendering = WeaverJSON(lambda _: 0)
    assert await rendering.page([], None, NOW) == '{"weavers":[],"count":0,"continue":null}'
    page = json.loads(await rendering.page([weaver(), weaver()], "token", NOW))
    assert (page["count"], len(page["weavers"]), page["continue"]) == (2, 2, "token")


def test_what_is_gone_is_forgotten() -> None:
    rendering = WeaverJSON(lambda _: 0)
    kept = weaver()
    for one in [kept, *(weaver() for _ in range(SWEPT_AT))]:
        rendering.drop(lambda: [kept])
        rendering.one(one, NOW)
    assert "rendered=2" in repr(rendering)
