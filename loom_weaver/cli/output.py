"""What a command prints: lines for people and scripts on standard output, remarks on standard error."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, TextIO

STATUS_COLOURS = {
    "pending": "33",
    "running": "32",
    "succeeded": "36",
    "failed": "31",
    "terminating": "35",
}


def say(text: str = "", *, flush: bool = False) -> None:
    sys.stdout.write(f"{text}\n")
    if flush:
        sys.stdout.flush()


def remark(text: str) -> None:
    """For a person who waits; scripts read standard output."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def say_json(value: Any, *, flush: bool = False) -> None:
    """Characters beyond ASCII are escaped: what a tag holds reaches no terminal as a command."""
    say(json.dumps(value), flush=flush)


def shows_colours(stream: TextIO | None = None) -> bool:
    """On a terminal, unless it or its user wants none (https://no-color.org)."""
    stream = stream or sys.stdout
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def painted(text: str, status: str) -> str:
    return f"\x1b[{STATUS_COLOURS[status]}m{text}\x1b[m" if status in STATUS_COLOURS else text
