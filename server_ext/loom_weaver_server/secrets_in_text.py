"""Keeps credentials out of whatever is written down."""

from __future__ import annotations

import re

CREDENTIAL = re.compile(r"(loom_sk_|ws_)[A-Za-z0-9_-]{6,}|(?i:(token|bearer|basic)[ =]\s*)[^\s&\"',]+")


def scrub(text: str) -> str:
    """`text` without API keys, WebSocket tokens, `token=…` and `Bearer …`."""
    return CREDENTIAL.sub(lambda match: f"{match[1] or match[2]}[secret]", text)
