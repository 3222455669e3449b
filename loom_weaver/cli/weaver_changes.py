"""What an event stream tells, each change once, although a restarted server tells the whole list again."""

from __future__ import annotations

from typing import NamedTuple

from loom_weaver.client.items import WeaverEvent
from loom_weaver.models import WeaverObject


class Change(NamedTuple):
    """`kind` is `present` for what was there before we came, else `added`, `modified` or `deleted`."""

    kind: str
    weaver: WeaverObject


class WeaverChanges:
    """Fed with events, knows the present weavers and tells what is new."""

    def __init__(self) -> None:
        self.present: dict[str, WeaverObject] = {}
        self.complete = False
        """Whether the first list was told whole."""
        self._listed: set[str] | None = set()

    def feed(self, event: WeaverEvent) -> list[Change]:
        if event.kind == "reset":
            self._listed = set()
        elif event.kind == "ready":
            return self._all_listed()
        elif event.weaver is not None:
            return self._one(event.kind, event.weaver)
        return []

    def _one(self, kind: str, weaver: WeaverObject) -> list[Change]:
        if kind == "deleted":
            known = self.present.pop(weaver.id, None)
            return [Change("deleted", weaver)] if known else []
        if self._listed is not None:
            self._listed.add(weaver.id)
        before = self.present.get(weaver.id)
        self.present[weaver.id] = weaver
        if before is None:
            return [Change("added" if self.complete else "present", weaver)]
        return [Change("modified", weaver)] if _told(before) != _told(weaver) else []

    def _all_listed(self) -> list[Change]:
        """What is missing from a list that came anew was deleted while nobody listened."""
        listed, self._listed, self.complete = self._listed, None, True
        if listed is None:
            return []
        gone = [weaver for weaver_id, weaver in self.present.items() if weaver_id not in listed]
        for weaver in gone:
            del self.present[weaver.id]
        return [Change("deleted", weaver) for weaver in gone]


def _told(weaver: WeaverObject) -> tuple[object, ...]:
    """What makes two states different to a reader; ages and viewers come and go."""
    return weaver.status, weaver.reason, weaver.detail, weaver.exit_code, weaver.lifetime_hours
