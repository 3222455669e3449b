"""Text that others chose, made fit for a terminal: no escape sequences, columns in line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

# CSI, OSC and the like, and the two-character ones (ECMA-48); an unfinished string goes to the end.
ESCAPE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
COLOUR = re.compile(r"\x1b\[[\d;:]*m")
# Controls, and what turns the direction of the text around it.
UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def cleaned(text: str) -> str:
    """One line without escape sequences; any other control character shows as U+FFFD."""
    return UNFIT.sub(REPLACEMENT, ESCAPE.sub("", text))


def last_drawn(line: str) -> str:
    """Of a line that was rewritten, as by a progress bar, what stood there last."""
    return next((part for part in reversed(line.split("\r")) if part), "")


def cleaned_but_colours(text: str) -> str:
    """A line of a log: its colours and tabs stay, nothing else that moves or asks the terminal."""
    kept = [part if COLOUR.fullmatch(part) else _clean_line(part) for part in _split(text)]
    line = "".join(kept)
    return f"{line}\x1b[m" if "\x1b[" in line else line


def _split(text: str) -> list[str]:
    return re.split(rf"({COLOUR.pattern})", text)


def _clean_line(text: str) -> str:
    return "\t".join(map(cleaned, text.split("\t")))


def width(text: str) -> int:
    """Columns that a terminal needs: an East Asian character or an emoji takes two, a combining one none."""
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, columns: int) -> str:
    """The beginning that fits, with an ellipsis where something went."""
    if width(text) <= columns:
        return text
    kept, used = "", 0
    for character in text:
        used += _width(character)
        if used >= columns:
            break
        kept += character
    return f"{kept}…"


def aligned(rows: Sequence[Sequence[str]], columns: int | None = None) -> list[str]:
    """Lines with their cells in line, two spaces between; cut to `columns` where those are given."""
    widths = [max(map(width, cells)) for cells in zip(*rows, strict=True)]
    lines = ["  ".join(map(_padded, row, widths)).rstrip() for row in rows]
    return [cut(line, columns) for line in lines] if columns else lines


def _padded(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))
