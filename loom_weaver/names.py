"""Ids and the names made from them."""

from __future__ import annotations

import re
import secrets
import string
import uuid

ALPHABET = string.ascii_lowercase + string.digits
# 16 characters of 36 are 82 bits: no two weavers ever meet, also across replicas that ask nobody.
ID_LENGTH = 16
WEAVER_ID = re.compile(r"weaver_([a-z0-9]{1,40})")


def new_id(prefix: str) -> str:
    """A fresh random id such as `weaver_k3v0…`."""
    # One read of the kernel's randomness, not one for each character.
    number = secrets.randbelow(len(ALPHABET) ** ID_LENGTH)
    digits = []
    for _ in range(ID_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return f"{prefix}_{''.join(digits)}"


def is_weaver_id(text: str) -> bool:
    return WEAVER_ID.fullmatch(text) is not None


def pod_name(weaver_id: str) -> str:
    """`weaver_abc` -> `loom-weaver-abc`; raises ValueError for what is no weaver id."""
    match = WEAVER_ID.fullmatch(weaver_id)
    if match is None:
        raise ValueError("not a weaver id")
    return "loom-weaver-" + match[1]


def is_uuid(text: str) -> bool:
    """Whether `text` is a UUID in its canonical, hyphenated spelling (of either case)."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
