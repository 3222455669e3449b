"""Query arguments, strictly: nothing is trimmed, repaired or guessed."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import unquote_to_bytes

from loom_weaver.errors import BadRequest

BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
# Jupyter's own, which may stand in any call; JupyterLab also adds a bare time against caches.
EVERYWHERE = frozenset({"token", "_xsrf", "no_track_activity"})
# Past every sensible number of lines or items, and within 64 bits.
LARGEST_INTEGER = 2**53 - 1


class Query:
    """The arguments of one request. Each reader raises BadRequest naming the argument."""

    def __init__(self, raw: str) -> None:
        """`raw` is the part after `?` as Tornado holds it: the bytes of the wire as Latin-1."""
        self._values: dict[str, list[str]] = {}
        for pair in raw.split("&"):
            if pair:
                name, _, value = pair.partition("=")
                text = _decode(name, "query")
                self._values.setdefault(text, []).append(_decode(value, text))

    def expect(self, known: Collection[str]) -> None:
        """Refuse an argument that the call does not know."""
        for name in self._values:
            if name not in known and name not in EVERYWHERE and not name.isdecimal():
                offered = ", ".join(sorted(known)) or "none"
                raise BadRequest(f"is no query parameter of this call; it knows: {offered}", field=name)

    def all(self, name: str) -> list[str]:
        return list(self._values.get(name, ()))

    def text(self, name: str) -> str | None:
        values = self._values.get(name, [])
        if len(values) > 1:
            raise BadRequest("stands more than once in the query; give it once", field=name)
        return values[0] if values else None

    def integer(self, name: str, default: int | None = None, *, minimum: int = 0) -> int | None:
        value = self.text(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdigit()) or len(value) > 16:
            raise BadRequest(f"must be an integer from {minimum} to {LARGEST_INTEGER}", field=name)
        number = int(value)
        if not minimum <= number <= LARGEST_INTEGER:
            raise BadRequest(f"must be an integer from {minimum} to {LARGEST_INTEGER}", field=name)
        return number

    def boolean(self, name: str, default: bool = False) -> bool:
        value = self.text(name)
        if value is None:
            return default
        if value not in BOOLEANS:
            raise BadRequest("must be true or false", field=name)
        return BOOLEANS[value]

    def choice(self, name: str, offered: Collection[str]) -> str | None:
        value = self.text(name)
        if value is not None and value not in offered:
            raise BadRequest(f"must be one of {', '.join(offered)}", field=name)
        return value


def _decode(text: str, field: str) -> str:
    try:
        return unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode()
    except UnicodeError as error:
        raise BadRequest("must be percent-encoded UTF-8", field=field) from error
