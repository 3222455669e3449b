"""JSON by the parts of CPython's `json` that are written in C, for holders.

The Python around those parts, and all that it imports (`enum`, `functools`, `re` …), would take a seventh of
a holder's memory: each page of it that a forked process so much as looks at becomes its own.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

BLANKS = " \t\r\n"


def loads(text: bytes) -> Any:
    """Raise ValueError for what is no JSON."""
    stripped = text.decode().strip(BLANKS)
    try:
        value, end = _scan(stripped, 0)
    except (StopIteration, RecursionError) as error:
        raise ValueError("no JSON, or too deep") from error
    if end != len(stripped):
        raise ValueError("more than one value")
    return value


def dumps(value: object) -> str:
    """In ASCII, without spaces."""
    return "".join(_encode(value, 0))


class _Decoding:
    """What json.JSONDecoder says of itself."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_int = int
    parse_float = parse_constant = float


def _refuse(value: object) -> object:
    raise TypeError(f"{type(value).__name__} is no JSON")


def _codec() -> tuple[Callable[[str, int], tuple[Any, int]], Callable[[object, int], Iterable[str]]]:
    """Where those parts are not as they were from Python 3.11 on, by `json` itself."""
    try:
        from _json import encode_basestring_ascii, make_encoder, make_scanner

        scan: Any = make_scanner(_Decoding)  # type: ignore[arg-type]
        return scan, make_encoder(None, _refuse, encode_basestring_ascii, None, ":", ",", False, False, True)
    except (AttributeError, ImportError, TypeError):
        from json import JSONDecoder, JSONEncoder

        encoder = JSONEncoder(separators=(",", ":"))
        scan = JSONDecoder().scan_once  # type: ignore[attr-defined]
        return scan, lambda value, _: encoder.iterencode(value)


_scan, _encode = _codec()
