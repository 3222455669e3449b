"""What goes wrong between a program and a server, beside the errors that a server names itself.

LoomError                     .message is fit for people, .code for programs
├── BadRequest, Unauthorized, Forbidden, NotFound, Conflict, PayloadTooLarge,
│   TooManyWeavers, RateLimited, Unavailable, RuntimeFailure, RuntimeTimeout, …
│                             the server's own words (`loom_weaver.errors`)
├── ServerFailed              500: a mistake of the server's
├── ConnectionFailed          no server, no answer, or a link that stays down
│   └── CallTimeout           no answer in time (also a TimeoutError)
├── NoServer                  nothing tells which server to call
├── NotALoomServer            what answers there is something else
├── WaitTimeout               `wait` took longer than asked (also a TimeoutError)
├── WeaverEnded               it ended before it did what was waited for; .weaver
└── CommandFailed             `exec(…, check=True)`; .result
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from loom_weaver.errors import LoomError

if TYPE_CHECKING:
    from loom_weaver.models import ExecResult, WeaverObject


class ServerFailed(LoomError):
    """The server failed to answer, by a mistake of its own; its log tells more under `request_id`."""


class ConnectionFailed(LoomError):
    """The server cannot be reached, or the link to it broke and did not come back.

    `sent` is False where it is certain that the server never got the call.
    """

    code = "connection_failed"

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class CallTimeout(ConnectionFailed, TimeoutError):
    """The server did not answer in time."""

    code = "timeout"


class NoServer(LoomError):
    """No server was named, and none was found."""

    code = "no_server"


class NotALoomServer(LoomError):
    """Something answers at the URL, but not with this API."""

    code = "not_a_loom_server"


class WaitTimeout(LoomError, TimeoutError):
    """What was waited for did not happen in time; the weaver goes on."""

    code = "wait_timeout"


class WeaverEnded(LoomError):
    """The weaver ended before it ran; `weaver` is its last known state."""

    code = "weaver_ended"

    def __init__(self, weaver: WeaverObject) -> None:
        self.weaver = weaver
        story = ": ".join(part for part in (weaver.reason, weaver.detail) if part)
        super().__init__(f"{weaver.id} is {weaver.status}" + (f" ({story})" if story else ""))


class CommandFailed(LoomError):
    """A command ended with another exit code than 0, or its time was up; `result` has its output."""

    code = "command_failed"

    def __init__(self, command: Sequence[str], result: ExecResult) -> None:
        self.command = tuple(command)
        self.result = result
        end = "ran out of time" if result.timed_out else f"exited with {result.exit_code}"
        last = result.stderr.strip().rpartition("\n")[2][:200]
        super().__init__(f"{self.command[0]} {end}" + (f": {last}" if last else ""))
