"""A weaver's log as lines of text."""

from __future__ import annotations

import sys

from loom_weaver.cli.line_output import print_each
from loom_weaver.cli.output import remark, shows_colours
from loom_weaver.cli.text import cleaned, cleaned_but_colours, last_drawn
from loom_weaver.client.items import LogGap, LogItem
from loom_weaver.client.logs import AsyncLogs


async def print_log(log: AsyncLogs, *, timestamps: bool) -> None:
    """On a terminal fit for one; into a pipe or a file each line as it was."""
    fit = _fit if sys.stdout.isatty() else str

    def line_of(item: LogItem) -> str | None:
        if isinstance(item, LogGap):
            sys.stdout.flush()
            remark(str(item))
            return None
        # What continues a very long line has no time of its own.
        before = f"{item.timestamp} " if timestamps and item.timestamp else ""
        return before + fit(item.text)

    await print_each(log, line_of)


def _fit(text: str) -> str:
    shown = last_drawn(text)
    return cleaned_but_colours(shown) if shows_colours() else cleaned(shown.expandtabs())
