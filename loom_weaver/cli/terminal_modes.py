"""Which settings of a terminal a program has changed, and how to undo them when it is left half-way."""

from __future__ import annotations

import re

SETTING = re.compile(
    rb"\x1b(?:\[\?(?P<modes>[\d;]+)(?P<on>[hl])"
    rb"|\[(?P<region>\d*;?\d*)r"
    rb"|\[(?P<push>>\d*)u"
    rb"|\[<(?P<pop>\d*)u"
    rb"|\[>4(?:;(?P<modify>\d*))?m"
    rb"|\[(?P<shape>\d*) q"
    rb"|(?P<keypad>[=>])"
    rb"|\((?P<charset>[0B])"
    rb"|(?P<reset>c|\[!p))"
)
# DEC private modes that a terminal has on by itself: wrapping at the margin, a visible cursor.
ON_BY_DEFAULT = {b"7", b"25"}
# Modes that say nothing about the terminal's state: they save and restore the cursor, or are momentary.
MOMENTARY = {b"1048", b"2026"}
# Where the cursor goes on leaving these, is the terminal's affair: they come last.
SCREENS = (b"47", b"1047", b"1049")
# A sequence of the above has far fewer bytes.
LONGEST = 64


class TerminalModes:
    """Fed with all output, knows what `undo` has to write so that the terminal is as it was found."""

    def __init__(self) -> None:
        self._modes: dict[bytes, bytes] = {}
        self._keyboards = 0
        self._others: dict[str, bytes] = {}
        self._tail = b""

    @property
    def full_screen(self) -> bool:
        """Whether a program draws on a screen of its own."""
        return any(mode in self._modes for mode in SCREENS)

    def feed(self, output: bytes) -> None:
        text = self._tail + output
        for setting in SETTING.finditer(text):
            self._apply(setting)
        last = text.rfind(b"\x1b", max(0, len(text) - LONGEST))
        # A sequence that was whole would count twice.
        whole = last >= 0 and SETTING.match(text, last)
        self._tail = text[last:] if last >= 0 and not whole else b""

    def undo(self) -> bytes:
        """Empty where nothing was changed; the colour is always put back."""
        last = [mode for mode in SCREENS if mode in self._modes]
        modes = [mode for mode in self._modes if mode not in SCREENS] + last
        parts = [
            *self._others.values(),
            b"\x1b[<u" * self._keyboards,
            *(b"\x1b[?%s%s" % (mode, self._modes[mode]) for mode in modes),
        ]
        return b"".join(parts) + b"\x1b[m"

    def _apply(self, setting: re.Match[bytes]) -> None:
        kind = setting.lastgroup
        if setting["modes"] is not None:
            for mode in setting["modes"].split(b";"):
                self._set_mode(mode, setting["on"] == b"h")
        elif kind == "push":
            self._keyboards += 1
        elif kind == "pop":
            self._keyboards = max(0, self._keyboards - int(setting["pop"] or 1))
        elif kind == "reset":
            self._modes.clear()
            self._others.clear()
            self._keyboards = 0
        else:
            self._set_other(kind or "modify", setting)

    def _set_mode(self, mode: bytes, on: bool) -> None:
        if mode in MOMENTARY:
            return
        if on == (mode in ON_BY_DEFAULT):
            self._modes.pop(mode, None)
        else:
            self._modes[mode] = b"l" if on else b"h"

    def _set_other(self, kind: str, setting: re.Match[bytes]) -> None:
        """Defaults, and what brings each back; that of the region moves the cursor, which is kept."""
        default, undo = {
            "region": ((b"", b";"), b"\x1b7\x1b[r\x1b8"),
            "modify": ((b"", b"0", None), b"\x1b[>4m"),
            "shape": ((b"", b"0"), b"\x1b[0 q"),
            "keypad": ((b">",), b"\x1b>"),
            "charset": ((b"B",), b"\x1b(B"),
        }[kind]
        if setting[kind] in default:
            self._others.pop(kind, None)
        else:
            self._others[kind] = undo
