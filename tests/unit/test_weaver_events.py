"""The events of one reader, from the history of changes."""

from __future__ import annotations

import asyncio

from loom_weaver.changes import ChangeLog
from loom_weaver.events import BATCH, WeaverEvent, WeaverEvents
from loom_weaver.lifetime import utc_now
from loom_weaver.models import Isolation
from loom_weaver.weaver import Weaver, WeaverSpec


def weaver(number: int, owner: str = "mine") -> Weaver:
    spec = WeaverSpec(
        id=f"weaver_{number}",
        owner_user_id=owner,
        org_id="o",
        image="python",
        created_at=utc_now(),
        lifetime_hours=1,
    )
    return Weaver.pending(spec, Isolation(kind="none", enforced=[]))


def is_mine(weaver: Weaver) -> bool:
    return weaver.owner_user_id == "mine"


def told(events: list[WeaverEvent]) -> list[tuple[str, str | None]]:
    return [(event.kind, event.weaver.id if event.weaver else None) for event in events]


async def test_a_change_while_the_list_is_told_comes_after_it() -> None:
    changes, present = ChangeLog(), [weaver(number) for number in range(BATCH + 1)]
    batches = WeaverEvents(changes, lambda: present, is_mine).after(None)
    first = await anext(batches)
    changes.publish("deleted", present[0])
    rest = [*await anext(batches), *await anext(batches)]
    assert told(first) == [("added", each.id) for each in present[:BATCH]]
    assert told(rest) == [("added", present[BATCH].id), ("ready", None), ("deleted", "weaver_0")]


async def test_who_falls_too_far_behind_starts_over() -> None:
    changes = ChangeLog(history=3)
    batches = WeaverEvents(changes, lambda: [weaver(1)], is_mine).after(None)
    assert told(await anext(batches)) == [("added", "weaver_1"), ("ready", None)]
    for number in range(5):
        changes.publish("modified", weaver(number))
    assert told(await anext(batches)) == [("reset", None), ("added", "weaver_1"), ("ready", None)]


async def test_a_reader_waits_for_news() -> None:
    changes = ChangeLog()
    batches = WeaverEvents(changes, list, is_mine).after(None)
    assert told(await anext(batches)) == [("ready", None)]
    waiting = asyncio.ensure_future(anext(batches))
    changes.publish("added", weaver(1))
    assert told(await waiting) == [("added", "weaver_1")]


async def test_what_belongs_to_others_is_left_out_of_resumed_changes_too() -> None:
    changes = ChangeLog()
    changes.publish("added", weaver(1))
    changes.publish("added", weaver(2, owner="another"))
    changes.publish("added", weaver(3))
    batches = WeaverEvents(changes, list, is_mine).after(f"{changes.epoch}:1")
    assert told(await anext(batches)) == [("added", "weaver_3")]


async def test_what_cannot_be_resumed_begins_with_reset() -> None:
    changes = ChangeLog()
    changes.publish("added", weaver(1))
    for last in ("", "x", f"{changes.epoch}:2", f"{changes.epoch}:list", "00:1", f"{changes.epoch}:１"):
        batches = WeaverEvents(changes, list, is_mine).after(last)
        assert told(await anext(batches)) == [("reset", None), ("ready", None)], last
    batches = WeaverEvents(ChangeLog(), list, is_mine).after(f"{changes.epoch}:1")
    assert told(await anext(batches))[0] == ("reset", None)
