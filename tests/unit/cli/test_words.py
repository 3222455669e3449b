"""What people type and read: names, times, tables, environments."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loom_weaver.cli.asking import environment
from loom_weaver.cli.copying import Place, parse_place
from loom_weaver.cli.lifetimes import hours
from loom_weaver.cli.spans import ago, span
from loom_weaver.cli.text import aligned, cut, width
from loom_weaver.cli.weaver_changes import WeaverChanges
from loom_weaver.cli.weaver_table import status
from loom_weaver.cli.weavers import choose
from loom_weaver.client.items import EventKind, WeaverEvent
from loom_weaver.errors import BadRequest, NotFound
from loom_weaver.models import Status, WeaverObject
from tests.made_up_weavers import weaver

PRESENT = [
    weaver("weaver_abc1", tags={"name": "job"}).model_dump(),
    weaver("weaver_abc2", "failed", tags={"name": "job"}).model_dump(),
    weaver("weaver_job3").model_dump(),
    weaver("weaver_xyz4", tags={"name": "weaver_abc1"}).model_dump(),
]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("weaver_abc1", "weaver_abc1"),
        ("job", "weaver_abc1"),
        ("job3", "weaver_job3"),
        ("weaver_x", "weaver_xyz4"),
        ("x", "weaver_xyz4"),
    ],
)
def test_which_weaver_is_meant(name: str, found: str) -> None:
    assert choose(PRESENT, name)["id"] == found


@pytest.mark.parametrize("name", ["abc", "weaver_", "nothing", "", "\x1b[31m"])
def test_no_weaver_is_guessed(name: str) -> None:
    with pytest.raises(NotFound) as refusal:
        choose(PRESENT, name)
    assert "\x1b" not in refusal.value.message


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0s"),
        (59.9, "59s"),
        (60, "1m"),
        (3599, "59m"),
        (3600, "1h"),
        (3660, "1h1m"),
        (86_399, "23h59m"),
        (100_800, "1d4h"),
        (172_800, "2d"),
    ],
)
def test_spans(seconds: float, words: str) -> None:
    assert span(seconds) == words


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("10m", 600), ("2h", 7200), ("1d", 86_400)])
def test_a_while_ago(text: str, seconds: int) -> None:
    assert abs(ago(text) - (datetime.now(UTC) - timedelta(seconds=seconds))) < timedelta(seconds=10)


def test_a_moment_of_the_past() -> None:
    assert ago("2026-03-03T12:00:00Z") == datetime(2026, 3, 3, 12, tzinfo=UTC)
    assert ago("2026-03-03T12:00:00").tzinfo is not None
    for text in ("yesterday", "10", "m", "１０m", ""):
        with pytest.raises(BadRequest, match="is no time"):
            ago(text)


@pytest.mark.parametrize(("text", "wanted"), [("12", 12), ("12h", 12), ("2d", 48), (" 1H ", 1)])
def test_lifetimes(text: str, wanted: int) -> None:
    assert hours(text, "--ttl") == wanted


@pytest.mark.parametrize("text", ["", "h", "1.5h", "90m", "-1", "１", "1 h", "1w"])
def test_lifetimes_that_are_none(text: str) -> None:
    with pytest.raises(BadRequest, match="--ttl"):
        hours(text, "--ttl")


def test_an_environment(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(b"# comment\r\nA=1\r\n  B = two \n\nOWN\nD=#no comment\n")
    second.write_text("A=2\n")
    own = {"OWN": "ours", "OTHER": "not asked for"}
    found = environment(("C=x=y", "GONE", "EMPTY="), (str(first), str(second)), own)
    assert found == {"A": "2", "B ": " two ", "OWN": "ours", "D": "#no comment", "C": "x=y", "EMPTY": ""}
    for wrong in ("=x", "="):
        with pytest.raises(BadRequest, match="--env"):
            environment((wrong,), (), own)
    first.write_bytes(b"\xff")
    with pytest.raises(BadRequest, match="UTF-8"):
        environment((), (str(first),), own)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("box:notes", Place("box", "notes")),
        ("box:", Place("box", ".")),
        ("box:/tmp/a:b", Place("box", "/tmp/a:b")),
        ("notes", Place(None, "notes")),
        ("./a:b", Place(None, "./a:b")),
        ("/a:b", Place(None, "/a:b")),
        ("..:b", Place(None, "..:b")),
        (":x", Place(None, ":x")),
    ],
)
def test_places(text: str, place: Place) -> None:
    assert parse_place(text) == place


def test_columns_of_wide_characters() -> None:
    assert [width(text) for text in ("abc", "世界", "✅", "é", "e\u0301")] == [3, 4, 2, 1, 1]
    assert aligned([["世", "x"], ["abc", "y"]]) == ["世   x", "abc  y"]
    assert cut("世界世界", 5) == "世界…"
    assert cut("abcdef", 6) == "abcdef"


@pytest.mark.parametrize(
    ("state", "code", "reason", "words"),
    [
        ("running", None, None, "running"),
        ("failed", 1, "Error", "failed (1)"),
        ("failed", 137, "OOMKilled", "failed (137, OOMKilled)"),
        ("pending", None, "ImagePullBackOff", "pending (ImagePullBackOff)"),
        ("succeeded", 0, "Completed", "succeeded"),
    ],
)
def test_states_in_words(state: Status, code: int | None, reason: str | None, words: str) -> None:
    assert status(weaver("weaver_a", state, exit_code=code, reason=reason).model_dump()) == words


def told(changes: WeaverChanges, kind: EventKind, each: WeaverObject | None = None) -> list[tuple[str, str]]:
    return [(change.kind, change.weaver.id) for change in changes.feed(WeaverEvent(kind, each, "1"))]


def test_a_list_that_comes_again_tells_what_is_new() -> None:
    changes = WeaverChanges()
    assert told(changes, "added", weaver("a")) == [("present", "a")]
    assert told(changes, "added", weaver("b")) == [("present", "b")]
    assert told(changes, "ready") == []
    assert told(changes, "added", weaver("c", "pending")) == [("added", "c")]
    assert told(changes, "modified", weaver("c", viewers=2)) == [("modified", "c")]
    assert told(changes, "modified", weaver("c", viewers=3)) == []
    assert told(changes, "reset") == []
    assert told(changes, "added", weaver("a")) == []
    assert told(changes, "added", weaver("c", "failed", exit_code=1)) == [("modified", "c")]
    assert told(changes, "added", weaver("d")) == [("added", "d")]
    assert told(changes, "ready") == [("deleted", "b")]
    assert told(changes, "deleted", weaver("d")) == [("deleted", "d")]
    assert told(changes, "deleted", weaver("d")) == []
    assert sorted(changes.present) == ["a", "c"]


def test_no_name_is_a_pattern() -> None:
    with pytest.raises(NotFound, match=re.escape("'.*'")):
        choose(PRESENT, ".*")
