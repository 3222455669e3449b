"""With which code a command ends, and the one line that it says when it could not do its work."""

from __future__ import annotations

import sys

from loom_weaver.errors import BadRequest, Forbidden, LoomError, NotFound, RetryLater, Unauthorized

FAILED = 1
USAGE = 2
REFUSED = 3
NOT_FOUND = 4
UNREACHABLE = 5
# These are docker's: our own failure where the code is a program's, and a program that there is not.
OWN_FAILURE = 125
NO_SUCH_COMMAND = 127
INTERRUPTED = 130
# 128 + SIGPIPE, as a shell shows it: whoever read our output has left.
NOBODY_READS = 141

MEANINGS = {
    0: "done; for `attach`, also: left with the detach keys",
    FAILED: "the server refused or failed; the message says why",
    USAGE: "a wrong argument",
    REFUSED: "no credential, a bad one, or not allowed",
    NOT_FOUND: "no such weaver, file or tag, or a name that fits several",
    UNREACHABLE: "no server, or none that answers",
    OWN_FAILURE: "`new`, `attach` and `exec` failed themselves; any other code is the program's",
    NO_SUCH_COMMAND: "`exec`: there is no such command in the weaver",
    INTERRUPTED: "Ctrl-C; 128+n for signal n, as 143 for SIGTERM",
    NOBODY_READS: "whoever read the output has left, as in `… | head`",
}
# By the `code` of an error, so that the client need not be imported for its own.
BY_CODE = {
    "connection_failed": UNREACHABLE,
    "timeout": UNREACHABLE,
    "no_server": UNREACHABLE,
    "not_a_loom_server": UNREACHABLE,
}
BY_CLASS = (
    (BadRequest, USAGE),
    ((Unauthorized, Forbidden), REFUSED),
    (NotFound, NOT_FOUND),
    (RetryLater, FAILED),
)
WAYS_OUT = {
    "unauthorized": "run: loom-weaver login",
    "no_server": "run: loom-weaver login, or set LOOM_WEAVER_URL",
}


def code_of(error: LoomError) -> int:
    if error.code in BY_CODE:
        return BY_CODE[error.code]
    return next((code for kind, code in BY_CLASS if isinstance(error, kind)), FAILED)


def complain(message: str) -> None:
    """One line on standard error."""
    print(f"loom-weaver: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201


def explain(error: LoomError) -> None:
    way_out = WAYS_OUT.get(error.code)
    needs_it = way_out and "loom-weaver login" not in error.message
    complain(f"{error.message.rstrip('.')}; {way_out}" if needs_it else error.message)
