"""Times for people: how old, how long yet."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from loom_weaver.errors import BadRequest

MINUTE, HOUR, DAY = 60, 3600, 86_400
UNITS = {"s": 1, "m": MINUTE, "h": HOUR, "d": DAY}


def moment(text: str) -> datetime:
    """An RFC 3339 time of the API."""
    return datetime.fromisoformat(text)


def since(text: str) -> str:
    """How long ago that was."""
    return span((datetime.now(UTC) - moment(text)).total_seconds())


def until(text: str) -> str:
    return span((moment(text) - datetime.now(UTC)).total_seconds())


def span(seconds: float) -> str:
    """Short and rough, as kubectl writes ages: `42s`, `5m`, `3h12m`, `1d4h`."""
    whole = max(0, int(seconds))
    if whole < MINUTE:
        return f"{whole}s"
    if whole < HOUR:
        return f"{whole // MINUTE}m"
    if whole < DAY:
        return _two(whole, HOUR, "h", MINUTE, "m")
    return _two(whole, DAY, "d", HOUR, "h")


def _two(whole: int, large: int, large_name: str, small: int, small_name: str) -> str:
    rest = whole % large // small
    return f"{whole // large}{large_name}" + (f"{rest}{small_name}" if rest else "")


def ago(text: str) -> datetime:
    """`10m` is ten minutes ago; else an RFC 3339 time. Raises BadRequest for anything else."""
    found = re.fullmatch(r"(\d{1,9})([smhd])", text, re.ASCII)
    if found:
        return datetime.now(UTC) - timedelta(seconds=int(found[1]) * UNITS[found[2]])
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(
            f"{text!r} is no time; write 30s, 10m, 2h, 1d, or 2026-03-03T12:00:00Z", field="--since"
        ) from None
    return when.astimezone() if when.tzinfo is None else when
