"""Tab completion behind `%weaver` and `%%weaver`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from loom_weaver.errors import LoomError
from loom_weaver.magics.arguments import NEW, cell_parser, line_parser

if TYPE_CHECKING:
    from loom_weaver.magics.house import House

TAKE_WEAVERS = ("logs", "attach", "extend", "delete")


def candidates(house: House, line: str) -> list[str]:
    """What the last word of `line` may become."""
    magic, *words = (f"{line}." if line.endswith(" ") else line).split()
    if words and words[-1] == ".":
        words[-1] = ""
    if not words:
        return []
    last = words.pop()
    found = _of_a_cell(house, words) if magic.startswith("%%") else _of_a_line(house, words)
    return sorted({word for word in found if word.startswith(last)})


def _of_a_line(house: House, words: list[str]) -> Iterator[str]:
    parsers = _commands(line_parser())
    if not words:
        yield from parsers
    elif words[0] in parsers:
        yield from _options(parsers[words[0]])
        if words[0] in TAKE_WEAVERS:
            yield from _weavers(house)


def _of_a_cell(house: House, words: list[str]) -> Iterator[str]:
    yield from _options(cell_parser())
    if not [word for word in words if not word.startswith("-")]:
        yield NEW
        yield from _weavers(house)


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    (choices,) = (action.choices for action in parser._actions if isinstance(action.choices, dict))
    return choices


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        yield from action.option_strings[-1:]


def _weavers(house: House) -> Iterator[str]:
    """Ids and names that need no quotes; nothing where no server answers."""
    try:
        present = house.client.list()
    except LoomError:
        return
    for weaver in present:
        yield weaver.id
        name = weaver.tags.get("name", "")
        if name.isprintable() and name and not set(name) & set(" '\"\\$"):
            yield name
