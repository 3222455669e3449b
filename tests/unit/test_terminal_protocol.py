"""What the messages of a terminal mean, and how it closes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loom_weaver import errors
from loom_weaver import terminal_protocol as protocol
from loom_weaver.models import Isolation
from loom_weaver.presence import Presence
from loom_weaver.terminal_protocol import Ack, CloseCode, Ignored, Ping, Resize, Typed
from loom_weaver.weaver import Weaver

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)


def weaver(**changes: Any) -> Weaver:
    isolation = Isolation(kind="none", enforced=[])
    plain = Weaver(
        id="weaver_a",
        owner_user_id="user_a",
        org_id="org",
        image="shell",
        created_at=NOW,
        lifetime_hours=1,
        isolation=isolation,
    )
    return plain.changed(**changes)


@pytest.mark.parametrize(
    "text",
    [
        "ls\n",
        "",
        "{",
        "{}",
        '{"type":"ping"}',
        '{"type":"Resize","cols":1,"rows":1}',
        '["resize"]',
        '"resize"',
        ' {"type":"resize","cols":10,"rows":5}',
        '{"type":"resize","cols":10,"rows":5}\n',
        '{"type":"resize","cols":10,"rows":5}{}',
        "{" * 50000 + "}",
        '{"type": "resize", "cols": 1, "rows": 1',
    ],
)
def test_text_of_the_documented_client_is_typed(text: str) -> None:
    assert protocol.documented_text(text) == Typed(text)


def test_a_pasted_object_is_no_control_message_however_long() -> None:
    text = '{"type":"resize","cols":10,"rows":5,"x":"' + "y" * protocol.LONGEST_CONTROL + '"}'
    assert protocol.documented_text(text) == Typed(text)


@pytest.mark.parametrize("meaning", [protocol.documented_text, protocol.v1_text])
def test_a_resize(meaning: Any) -> None:
    assert meaning('{"type":"resize","cols":1000,"rows":1}') == Resize(1000, 1)
    assert meaning('{ "rows": 24, "type": "resize", "more": null, "cols": 80 }') == Resize(80, 24)


@pytest.mark.parametrize("meaning", [protocol.documented_text, protocol.v1_text])
@pytest.mark.parametrize(
    "cols", ["0", "-1", "1001", "65536", '"80"', "80.5", "80.0", "null", "true", "NaN", "[]"]
)
def test_a_nonsense_size_is_dropped_and_never_typed(meaning: Any, cols: str) -> None:
    assert meaning(f'{{"type":"resize","cols":{cols},"rows":24}}') == Ignored()
    assert meaning(f'{{"type":"resize","cols":80,"rows":{cols}}}') == Ignored()
    assert meaning('{"type":"resize","rows":24}') == Ignored()


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ('{"type":"ping"}', Ping()),
        ('{"type":"ack","bytes":5}', Ack(5)),
        ('{"type":"ack","bytes":0}', Ignored()),
        ('{"type":"ack","bytes":-5}', Ignored()),
        ('{"type":"ack","bytes":true}', Ignored()),
        ('{"type":"ack"}', Ignored()),
        ('{"type":"new"}', Ignored()),
        ("ls\n", Ignored()),
        ("", Ignored()),
    ],
)
def test_text_of_a_v1_client_is_control_and_unknown_types_are_ignored(text: str, means: object) -> None:
    assert protocol.v1_text(text) == means


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "ws_abc",
        '{"type":"auth"}',
        '{"type":"auth","token":1}',
        '{"token":"ws_a"}',
        '["auth","ws_a"]',
    ],
)
def test_what_is_no_auth_message(text: str) -> None:
    assert protocol.auth_message(text) is None


def test_an_auth_message() -> None:
    message = protocol.auth_message('{"type": "auth", "token": "ws_a", "more": 1}\n')
    assert message == {"type": "auth", "token": "ws_a", "more": 1}


def test_messages_to_a_client() -> None:
    presence = Presence()
    viewer = presence.join("u", "ann", "full")
    ready = protocol.Ready(viewer, "full", "e1", 5, 9, (80, 24), primary=True)
    assert json.loads(protocol.ready(ready)) == {
        "type": "ready",
        "viewer": 1,
        "access": "full",
        "epoch": "e1",
        "offset": 5,
        "live": 9,
        "cols": 80,
        "rows": 24,
        "primary": True,
    }
    assert json.loads(protocol.presence(presence, (80, 24))) == {
        "type": "presence",
        "viewers": presence.snapshot(),
        "cols": 80,
        "rows": 24,
    }
    assert json.loads(protocol.gap(None)) == {"type": "gap", "bytes": None}
    assert json.loads(protocol.pong()) == {"type": "pong"}
    assert json.loads(protocol.exited(weaver(exit_code=3, reason="Error"))) == {
        "type": "exit",
        "code": 3,
        "reason": "Error",
        "detail": None,
    }
    assert json.loads(protocol.exited(None))["reason"] == "Deleted"


@pytest.mark.parametrize(
    ("before", "minutes"), [(600, 10), (599, 10), (301, 6), (300, 5), (60, 1), (1, 1), (0, 0), (-5, 0)]
)
def test_a_warning_rounds_up(before: int, minutes: int) -> None:
    text = protocol.warning(NOW, NOW - timedelta(seconds=before))
    assert json.loads(text) == {"type": "warning", "minutes": minutes, "expires_at": "2026-03-03T12:00:00Z"}


@pytest.mark.parametrize(
    ("minutes_left", "at_minutes"),
    [(60, 10), (10.5, 10), (10, 5), (7, 5), (5, 1), (1.01, 1), (1, None), (0, None)],
)
def test_warnings_are_due_at_10_5_and_1_minutes(minutes_left: float, at_minutes: int | None) -> None:
    due = protocol.next_warning(NOW, NOW - timedelta(minutes=minutes_left))
    assert due == (None if at_minutes is None else NOW - timedelta(minutes=at_minutes))


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("", ""),
        ("a" * 123, "a" * 123),
        ("a" * 124, "a" * 123),
        ("é" * 62, "é" * 61),
        ("a😀" * 30, "a😀" * 24 + "a"),
    ],
)
def test_a_close_reason_is_cut_at_a_character(text: str, cut: str) -> None:
    assert protocol.close_reason(text) == cut
    assert len(cut.encode()) <= 123


@pytest.mark.parametrize(
    ("changes", "had_ended", "code", "reason"),
    [
        ({"status": "succeeded", "exit_code": 0, "reason": "Completed"}, False, 1000, "exited 0"),
        ({"status": "failed", "exit_code": 137, "reason": "Error"}, False, 1000, "exited 137"),
        ({"status": "failed", "exit_code": 7, "reason": "Error", "detail": "7"}, True, 4409, "Error: 7"),
        ({"status": "succeeded", "exit_code": 0}, True, 4409, "exited 0"),
        ({"status": "failed", "reason": "Expired"}, False, 4409, "Expired"),
        ({"status": "terminating", "exit_code": 0}, False, 4409, "exited 0"),
        ({"status": "terminating"}, False, 4409, "terminating"),
        ({"status": "failed", "reason": "HolderLost"}, False, 1011, "HolderLost"),
    ],
)
def test_how_a_terminal_closes(changes: dict[str, Any], had_ended: bool, code: int, reason: str) -> None:
    assert protocol.farewell(weaver(**changes), had_ended=had_ended) == (code, reason)


def test_a_weaver_that_is_gone_was_deleted() -> None:
    assert protocol.farewell(None, had_ended=False) == (CloseCode.ENDED, "Deleted")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.Unauthorized("no"), 4401),
        (errors.Forbidden("no"), 4403),
        (errors.NotFound("no"), 4404),
        (errors.BadRequest("no"), 4400),
        (errors.Conflict("no"), 4409),
        (errors.RuntimeFailure("no"), 1011),
        (errors.Unavailable("no"), 1011),
    ],
)
def test_how_a_terminal_is_refused(error: errors.LoomError, code: int) -> None:
    assert protocol.refusal(error) == (code, "no")
