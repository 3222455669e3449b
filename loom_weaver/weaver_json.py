"""Weavers as JSON text. What only a change of the weaver changes is rendered once for each version of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from loom_weaver.lifetime import age_hours
from loom_weaver.weaver import Weaver

# What the clock and the viewers change.
LIVE_FIELDS = {"age_hours", "viewers"}
# Weavers that are gone are dropped once this many texts are kept.
SWEPT_AT = 1024
# Rendering so many for the first time takes some milliseconds; others get a turn in between.
AT_ONCE = 1000


class WeaverJSON:
    """A list of thousands costs what joining texts does, an event for a thousand readers one rendering."""

    def __init__(self, viewers: Callable[[str], int]) -> None:
        self._viewers = viewers
        self._rendered: dict[str, tuple[Weaver, str]] = {}
        self._sweep_at = SWEPT_AT

    def __repr__(self) -> str:
        return f"<WeaverJSON rendered={len(self._rendered)}>"

    def one(self, weaver: Weaver, now: datetime) -> str:
        age = age_hours(weaver.created_at, now)
        return f'{self._lasting(weaver)},"age_hours":{age},"viewers":{self._viewers(weaver.id)}}}'

    async def page(self, weavers: Sequence[Weaver], token: str | None, now: datetime) -> str:
        texts: list[str] = []
        for start in range(0, len(weavers), AT_ONCE):
            texts += [self.one(weaver, now) for weaver in weavers[start : start + AT_ONCE]]
            await asyncio.sleep(0)
        return f'{{"weavers":[{",".join(texts)}],"count":{len(texts)},"continue":{json.dumps(token)}}}'

    def drop(self, present: Callable[[], Iterable[Weaver]]) -> None:
        """Forget those that are gone, now and then."""
        if len(self._rendered) >= self._sweep_at:
            ids = {weaver.id for weaver in present()}
            self._rendered = {key: kept for key, kept in self._rendered.items() if key in ids}
            self._sweep_at = max(SWEPT_AT, 2 * len(self._rendered))

    def _lasting(self, weaver: Weaver) -> str:
        """The object without its end."""
        kept = self._rendered.get(weaver.id)
        if kept is None or kept[0] is not weaver:
            text = weaver.wire(weaver.created_at).model_dump_json(exclude=LIVE_FIELDS, warnings=False)
            kept = self._rendered[weaver.id] = (weaver, text.removesuffix("}"))
        return kept[1]
