"""A weaver as text/html for where nothing is live: exports, viewers of files, pages without our front end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from loom_weaver.cli.text import cleaned, last_drawn
from loom_weaver.cli.weaver_table import status

if TYPE_CHECKING:
    from loom_weaver.models import WeaverObject

# A shape beside the colour: colours alone do not tell everybody.
ICONS: Mapping[str, str] = {
    "pending": "◔",
    "running": "●",
    "succeeded": "✔",
    "failed": "✖",
    "terminating": "◌",
}
COLOURS: Mapping[str, str] = {
    "pending": "#b26a00",
    "running": "#1b7f3b",
    "succeeded": "#0b7285",
    "failed": "#c92a2a",
    "terminating": "#862e9c",
}
BOX = (
    "border:1px solid var(--jp-border-color1,#bdbdbd);border-radius:4px;padding:8px 12px;margin:4px 0;"
    "max-width:44em;font-family:var(--jp-ui-font-family,sans-serif);font-size:13px;line-height:1.5"
)
LINES = (
    "margin:6px 0 0;padding:6px 8px;background:var(--jp-layout-color2,#f5f5f5);"
    "font-family:var(--jp-code-font-family,monospace);font-size:12px;line-height:1.35;"
    "white-space:pre-wrap;overflow-wrap:anywhere"
)
# A picture is part of the file: so much of a log, and no more.
MOST_LINES, LONGEST_LINE = 20, 500


def picture(weaver_id: str, weaver: WeaverObject | None, title: str, lines: Sequence[str] | None) -> str:
    """A box with what was known when the cell ran; `lines` are the last ones of its log."""
    parts = [_head(weaver_id, weaver, title)]
    if weaver is not None:
        parts += [_facts(weaver)]
        parts += [_paragraph(words) for words in _explained(weaver)]
    if lines is not None:
        parts += [_log(lines)]
    return f'<div class="loom-Picture" style="{BOX}">{"".join(parts)}</div>'


def _head(weaver_id: str, weaver: WeaverObject | None, title: str) -> str:
    name = weaver.tags.get("name", "") if weaver else ""
    shown = f"<strong>{_text(name)}</strong> " if name else ""
    state = "" if weaver is None else f" {_state(weaver)}"
    return f"<div>{escape(title)} {shown}<code>{escape(weaver_id)}</code>{state}</div>"


def _state(weaver: WeaverObject) -> str:
    colour, icon = COLOURS[weaver.status], ICONS[weaver.status]
    words = _text(status(weaver.model_dump()))
    return f'<span style="color:{colour};font-weight:600;white-space:nowrap">{icon} {words}</span>'


def _facts(weaver: WeaverObject) -> str:
    tags = [f"{key}={value}" for key, value in sorted(weaver.tags.items()) if key != "name"]
    until = "ends" if weaver.status in ("pending", "running") else "kept until"
    facts = [weaver.image, *tags, f"{until} {weaver.expires_at[:16].replace('T', ' ')} UTC"]
    return _paragraph(" · ".join(facts))


def _explained(weaver: WeaverObject) -> list[str]:
    return [weaver.detail] if weaver.detail else []


def _paragraph(words: str) -> str:
    return f'<div style="color:var(--jp-ui-font-color2,#616161)">{_text(words)}</div>'


def _log(lines: Sequence[str]) -> str:
    shown = [last_drawn(line)[:LONGEST_LINE] for line in lines[-MOST_LINES:]]
    text = "\n".join(_text(line.expandtabs()) for line in shown) or "<em>nothing yet</em>"
    left_out = f"; earlier ones are left out here, at most {MOST_LINES} are kept"
    more = left_out if len(lines) >= MOST_LINES else ""
    return f'<pre style="{LINES}">{text}</pre>' + _paragraph(f"the last lines when this cell ran{more}")


def _text(words: str) -> str:
    """Letter by letter, whatever it looks like."""
    return escape(cleaned(words))
