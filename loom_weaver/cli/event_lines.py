"""Events of weavers as lines."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from loom_weaver.cli.line_output import print_each
from loom_weaver.cli.output import painted, shows_colours
from loom_weaver.cli.text import cleaned
from loom_weaver.cli.weaver_changes import Change, WeaverChanges
from loom_weaver.cli.weaver_table import status
from loom_weaver.client.events import AsyncEvents
from loom_weaver.client.items import WeaverEvent

# Wide enough for `modified` and `terminating`.
KIND_WIDTH, STATUS_WIDTH = 9, 12


async def print_events(events: AsyncEvents, *, as_json: bool, present: bool, tags: dict[str, str]) -> None:
    """Until it is cancelled."""
    changes = WeaverChanges()
    line = _json if as_json else _line

    def lines_of(event: WeaverEvent) -> str | None:
        told = [
            line(change)
            for change in changes.feed(event)
            if (present or change.kind != "present") and tags.items() <= change.weaver.tags.items()
        ]
        return "\n".join(told) or None

    await print_each(events, lines_of)


def _json(change: Change) -> str:
    # Characters beyond ASCII are escaped: what a tag holds reaches no terminal as a command.
    return json.dumps({"event": change.kind, "weaver": change.weaver.model_dump(mode="json")})


def _line(change: Change) -> str:
    weaver = change.weaver
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    state = cleaned(status(weaver.model_dump(include={"status", "exit_code", "reason"})))
    state = (
        f"{painted(state, weaver.status) if shows_colours() else state}{' ' * (STATUS_WIDTH - len(state))}"
    )
    detail = cleaned(weaver.detail or "")
    return f"{now}  {change.kind:<{KIND_WIDTH}} {weaver.id}  {state} {detail}".rstrip()
