"""Random tokens: what they look like, and what is kept of them."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

# 256 bits: nobody guesses one, so a fast hash is enough to store.
_RANDOM_BYTES = 32


def new_token(prefix: str) -> str:
    """`prefix` and 43 URL-safe characters."""
    return prefix + secrets.token_urlsafe(_RANDOM_BYTES)


def is_token(prefix: str, text: str) -> bool:
    return re.fullmatch(re.escape(prefix) + r"[A-Za-z0-9_-]{43}", text) is not None


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def same_hash(one: str, other: str) -> bool:
    return hmac.compare_digest(one, other)
