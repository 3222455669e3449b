"""How long a weaver shall live, as people write it."""

from __future__ import annotations

import re

from loom_weaver.errors import BadRequest

UNITS = {"": 1, "h": 1, "d": 24}


def hours(text: str, option: str) -> int:
    """`12`, `12h` or `2d`; the server checks the range."""
    found = re.fullmatch(r"(\d{1,6})([hd]?)", text.strip().lower(), re.ASCII)
    if not found:
        raise BadRequest(
            f"{text!r} is no lifetime; write whole hours or days such as 12h or 2d", field=option
        )
    return int(found[1]) * UNITS[found[2]]
