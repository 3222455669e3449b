"""What a user, an organization, a repository or a key may be called: one rule for all of them."""

from __future__ import annotations

import re

from loom_weaver.errors import BadRequest
from loom_weaver.names import is_uuid

LONGEST_NAME = 200
# What no eye can tell or what turns text around: controls, spaces other than the plain one, direction marks,
# invisible operators, noncharacters. The joiners U+200C and U+200D stay: scripts and emoji need them.
_HIDDEN = (
    r"\u0000-\u001f\u007f-\u00a0\u00ad\u061c\u1680\u180e\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u206f"
    r"\u3000\ufeff\ufff9-\uffff"
)
NAME_PATTERN = rf"^[^ {_HIDDEN}]([^{_HIDDEN}]{{0,{LONGEST_NAME - 2}}}[^ {_HIDDEN}])?$"
_NAME = re.compile(NAME_PATTERN.removeprefix("^").removesuffix("$"))
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_ID = re.compile(r"(user|repo|key)_[a-z0-9]{16}")


def name_fault(text: str) -> str | None:
    """What is wrong with `text` as a name, None when nothing is."""
    if not _NAME.fullmatch(text) or _SURROGATE.search(text):
        return f"must be 1 to {LONGEST_NAME} printable characters, with no space at either end"
    # A command takes a name or an id: one must never pass for the other.
    if _ID.fullmatch(text) or is_uuid(text):
        return "must not look like an id; choose another name"
    return None


def check_name(text: str, field: str = "name") -> None:
    """Raise BadRequest naming `field` for what is no name."""
    fault = name_fault(text)
    if fault:
        raise BadRequest(fault, field=field)


def may_exist(text: str) -> bool:
    """Whether `text` can be a name or an id at all; what cannot is not worth a question to the database."""
    return _NAME.fullmatch(text) is not None and not _SURROGATE.search(text)
