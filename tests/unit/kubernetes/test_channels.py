"""The framing of exec and attach sockets."""

from __future__ import annotations

import json

import pytest

from loom_weaver.runtimes.kubernetes import channels
from loom_weaver.runtimes.kubernetes.channels import LARGEST_INPUT, Outcome


def test_input_goes_to_channel_0_in_messages_of_a_bounded_size() -> None:
    data = bytes(range(256)) * 1024
    messages = channels.stdin(data)
    assert all(message[0] == channels.STDIN and len(message) <= LARGEST_INPUT + 1 for message in messages)
    assert b"".join(message[1:] for message in messages) == data
    assert channels.stdin(b"") == []


def test_what_the_other_messages_look_like() -> None:
    assert channels.end_of_stdin() == b"\xff\x00"
    message = channels.resize(132, 43)
    assert message[0] == channels.RESIZE
    assert json.loads(message[1:]) == {"Width": 132, "Height": 43}


@pytest.mark.parametrize(
    ("message", "channel", "data"),
    [(b"\x01out", 1, b"out"), (b"\x02", 2, b""), (b"", 0, b""), (b"\xff\x01", 255, b"\x01")],
)
def test_a_message_is_split_into_channel_and_data(message: bytes, channel: int, data: bytes) -> None:
    number, view = channels.split(message)
    assert (number, bytes(view)) == (channel, data)


def exit_status(code: str) -> dict[str, object]:
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": code}]},
    }


@pytest.mark.parametrize(
    ("status", "exit_code"),
    [
        ({"metadata": {}, "status": "Success"}, 0),
        (exit_status("5"), 5),
        (exit_status("137"), 137),
        (exit_status("many"), None),
        ({"status": "Failure", "reason": "NonZeroExitCode"}, None),
        ({"status": "Failure", "reason": "InternalError", "code": 500}, None),
        ({}, None),
    ],
)
def test_the_last_channel_tells_how_it_ended(status: dict[str, object], exit_code: int | None) -> None:
    assert channels.outcome(json.dumps(status).encode()).exit_code == exit_code


def test_what_is_no_status_is_kept_as_its_words() -> None:
    assert channels.outcome(b"container \xff not found") == Outcome(None, "container � not found")
