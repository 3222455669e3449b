"""How long a weaver lives. The clock is always passed in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from loom_weaver.errors import BadRequest

# What tells the time: `utc_now`, or a test's own.
Clock = Callable[[], datetime]

DEFAULT_HOURS = 24
MAX_HOURS = 48


def utc_now() -> datetime:
    """Now, in UTC, to the millisecond: what a weaver's times are written in."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def expires_at(created_at: datetime, lifetime_hours: int) -> datetime:
    return created_at + timedelta(hours=lifetime_hours)


def is_over(created_at: datetime, lifetime_hours: int, now: datetime) -> bool:
    return now >= expires_at(created_at, lifetime_hours)


def age_hours(created_at: datetime, now: datetime) -> float:
    """Hours since the creation, to two decimals; never negative, whatever the clocks say."""
    return round(max(0.0, (now - created_at).total_seconds() / 3600), 2)


def check_extension(created_at: datetime, lifetime_hours: int, now: datetime) -> None:
    """Raise BadRequest for a lifetime that would already be over."""
    if is_over(created_at, lifetime_hours, now):
        raise BadRequest(
            f"the weaver is already {age_hours(created_at, now)} hours old; "
            "give more hours than that, or delete it",
            field="lifetime_hours",
        )


def rfc3339(moment: datetime) -> str:
    """`2026-03-03T12:00:00Z`, with milliseconds only where there are any."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def parse_rfc3339(text: str) -> datetime:
    """Raise ValueError for anything but a date and time with a zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or "T" not in text.upper():
        raise ValueError("no time zone")
    return moment.astimezone(UTC)
