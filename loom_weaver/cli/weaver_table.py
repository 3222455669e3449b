"""Weavers as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loom_weaver.cli.output import painted
from loom_weaver.cli.spans import since, until
from loom_weaver.cli.text import aligned, cleaned

HEADINGS = ("WEAVER", "STATUS", "AGE", "LEFT", "IMAGE", "TAGS")


def table(weavers: Sequence[dict[str, Any]], columns: int | None = None, *, colours: bool) -> list[str]:
    """Its lines, the head first; cut to the `columns` of a terminal."""
    lines = aligned([HEADINGS, *map(_row, weavers)], columns)
    if not colours:
        return lines
    painted_lines = [_paint(line, str(each["status"])) for line, each in zip(lines[1:], weavers, strict=True)]
    return [f"\x1b[1m{lines[0]}\x1b[m", *painted_lines]


def _row(weaver: dict[str, Any]) -> tuple[str, ...]:
    tags = sorted(weaver["tags"].items(), key=lambda tag: (tag[0] != "name", tag[0]))
    return (
        weaver["id"],
        cleaned(status(weaver)),
        since(weaver["created_at"]),
        until(weaver["expires_at"]),
        cleaned(weaver["image"]),
        cleaned(",".join(f"{key}={value}" for key, value in tags)),
    )


def status(weaver: dict[str, Any]) -> str:
    """`running`, `failed (137, OOMKilled)`, `pending (ImagePullBackOff)`."""
    code, reason = weaver["exit_code"], weaver["reason"]
    said_already = weaver["status"] == "succeeded" or reason in ("Completed", "Error")
    parts = [str(code)] if code else []
    parts += [reason] if reason and not said_already else []
    return f"{weaver['status']} ({', '.join(parts)})" if parts else str(weaver["status"])


def _paint(line: str, word: str) -> str:
    """Only the word; the columns are in line already."""
    before, found, after = line.partition(f"  {word}")
    return f"{before}  {painted(word, word)}{after}" if found else line
