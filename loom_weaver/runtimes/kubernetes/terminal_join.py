"""Where the bytes of a terminal and the text of its log meet. Pure.

The log is what the terminal put out, with LF for CRLF and without its unfinished last line. An attach gives
only what comes after it; what came before, or while there was no connection, is in the log.
"""

from __future__ import annotations

# So much text happens once, in all but the dullest output.
NEEDLE = 4096


def as_log(terminal: bytes) -> bytes:
    return terminal.replace(b"\r\n", b"\n")


def as_terminal(log: bytes) -> bytes:
    return log.replace(b"\n", b"\r\n")


def missing_between(shown: bytes, log: bytes, live: bytes) -> bytes | None:
    """What the terminal put out after `shown` and before `live`; None where the log does not tell.

    `shown` is the end of what is there already, empty for nothing at all; `live` is what came since the
    attach, and `log` was read after that.
    """
    rest = after(as_log(shown), log)
    return None if rest is None else as_terminal(rest[: start_of(as_log(live), rest)])


def after(shown: bytes, log: bytes) -> bytes | None:
    """The part of the log that follows `shown`, of which the last line may be unfinished."""
    if not shown:
        return log
    begin = shown.rfind(b"\n") + 1
    unfinished, needle = shown[begin:], shown[max(0, begin - NEEDLE) : begin]
    if not needle:
        found = 0
    elif (at := log.rfind(needle)) >= 0:
        found = at + len(needle)
    else:
        return None
    rest = log[found:]
    if rest.startswith(unfinished):
        return rest[len(unfinished) :]
    return b"" if unfinished.startswith(rest) else None


def start_of(live: bytes, log: bytes) -> int:
    """Where in the log `live` begins; its end where the log does not reach so far."""
    lines = live[: live.rfind(b"\n") + 1]
    if log.endswith(lines or b"\n") or not log:
        return len(log) - len(lines)
    found = log.find(live[:NEEDLE])
    if found >= 0:
        return found
    for size in range(min(len(live), NEEDLE, len(log)), 0, -1):
        if log.endswith(live[:size]):
            return len(log) - size
    return len(log)


def reaches(log: bytearray, live: bytes) -> bool:
    """Whether the log was read far enough to tell where `live` begins."""
    return len(live) >= 2 * NEEDLE and log.find(as_log(live)[:NEEDLE]) >= 0


def before(shown: bytes, log: bytes) -> bytes:
    """What came before `shown`, as far as the log tells."""
    text = as_log(shown)
    lines = text[: text.rfind(b"\n") + 1]
    if log.endswith(text):
        return as_terminal(log[: len(log) - len(text)])
    if lines and log.endswith(lines):
        return as_terminal(log[: len(log) - len(lines)])
    # The first byte kept may be the LF of a CRLF.
    found = log.rfind(text[:NEEDLE]) if text else -1
    return as_terminal(log[:found]) if found > 0 else b""
