"""What programs ask a terminal in the midst of their output.

The terminal types the answer, so a question from the past, or one that another viewer's terminal answers too,
must not reach it. The sequences are those of xterm's "Control Sequences"
(https://invisible-island.net/xterm/ctlseqs/ctlseqs.html) and of kitty's keyboard protocol.
"""

from __future__ import annotations

import re

CSI = rb"(?:\x1b\[|\xc2\x9b)"
QUERY = re.compile(
    rb"\x05"  # ENQ
    rb"|\x1bZ" + rb"|" + CSI + rb"(?:[?>=]?[\d;]*c"  # DECID  # device attributes
    rb"|\??[\d;]*n"  # status and cursor position
    rb"|\??[\d;]*\$p"  # modes
    rb"|>[\d;]*q"  # name and version
    rb"|[\d;]*\*y|\?[\d;]*S|[\d;]*\$[uw]|[01]?x|\?u"  # checksums, graphics, reports, parameters, keyboard
    rb"|(?:1[13-9]|2[01])(?:;[\d;]*)?t)"  # the window
    rb"|\x1b\][^\x07\x1b]*;\?[^\x07\x1b]*(?:\x07|\x1b\\)"  # colours, clipboard, fonts
    rb"|\x1bP[\d;]*[$+]q[^\x1b]*\x1b\\"  # settings and terminfo
)
UNFINISHED = re.compile(
    rb"(?:\x1b|\xc2|" + CSI + rb"[\d;?>=$*]*|\x1b\][^\x07\x1b]*\x1b?|\x1bP[^\x1b]*\x1b?)\Z"
)
# A question is short. What goes on for longer is something else, such as text for the clipboard.
LONGEST = 1024


class QueryFilter:
    """Takes questions out of output that comes in pieces."""

    def __init__(self) -> None:
        self._held = b""

    @property
    def holds(self) -> bool:
        """Whether something waits for what comes next."""
        return bool(self._held)

    def feed(self, output: bytes) -> bytes:
        """Without questions; an unfinished sequence at the end waits for the next piece."""
        text = QUERY.sub(b"", self._held + output)
        tail = UNFINISHED.search(text, max(0, len(text) - LONGEST))
        self._held = tail[0] if tail else b""
        return text[: len(text) - len(self._held)]

    def flush(self) -> bytes:
        """What was held back: from here on nothing is filtered."""
        held, self._held = self._held, b""
        return held
