"""Words that several options take, apart from how they are typed."""

from __future__ import annotations

from collections.abc import Sequence

from loom_weaver.errors import BadRequest


def pair(text: str, option: str) -> tuple[str, str]:
    """`KEY=VALUE`, split at the first `=`."""
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise BadRequest(f"{text!r} is no KEY=VALUE", field=option)
    return key, value


def tag_query(tags: Sequence[str] | None) -> list[str]:
    """As the API writes them."""
    return [":".join(pair(tag, "--tag")) for tag in tags or ()]


def command_of(words: Sequence[str]) -> list[str]:
    """What was meant behind `--`, which is left in where an argument came before it."""
    command = list(words[1:] if words[:1] == ["--"] else words)
    if not command:
        raise BadRequest("the command is missing; write it behind --")
    return command
