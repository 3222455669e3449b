"""The keys that leave a terminal without ending it, as docker writes and matches them."""

from __future__ import annotations

from loom_weaver.errors import BadRequest

DEFAULT = "ctrl-p,ctrl-q"
# What Ctrl makes of a key is the key's lowest five bits.
CONTROL_KEYS = "@abcdefghijklmnopqrstuvwxyz[\\]^_"


def parse_detach_keys(text: str) -> bytes:
    """`ctrl-p,ctrl-q`, `ctrl-a,d`: one key or several, by commas; empty for none."""
    return b"".join(_key(word) for word in text.split(",")) if text else b""


def _key(word: str) -> bytes:
    if len(word) == 1 and word.isascii() and word.isprintable():
        return word.encode()
    name, _, key = word.lower().partition("-")
    if name == "ctrl" and len(key) == 1 and key in CONTROL_KEYS:
        return bytes([ord(key) & 0x1F])
    raise BadRequest(
        f"{word!r} is no key; write characters and ctrl-a … ctrl-z, ctrl-@ [ \\ ] ^ _, such as {DEFAULT}",
        field="--detach-keys",
    )


class DetachKeys:
    """Finds the sequence among what is typed; its beginning is held back until the next key decides."""

    def __init__(self, keys: bytes) -> None:
        self._keys = keys
        self._held = b""

    def pass_by(self, typed: bytes) -> bool:
        """Whether all of it goes on to the weaver and nothing is held back."""
        return not self._keys or (not self._held and self._keys[0] not in typed)

    def feed(self, typed: bytes) -> tuple[bytes, bool]:
        """What goes on to the weaver, and whether the sequence came; nothing behind it goes on."""
        if self.pass_by(typed):
            return typed, False
        passed = bytearray()
        at = 0
        while at < len(typed):
            if not self._held:
                start = typed.find(self._keys[:1], at)
                if start < 0:
                    passed += typed[at:]
                    break
                passed += typed[at:start]
                at = start
            self._held += typed[at : at + 1]
            at += 1
            while not self._keys.startswith(self._held):
                passed += self._held[:1]
                self._held = self._held[1:]
            if self._held == self._keys:
                return bytes(passed), True
        return bytes(passed), False
