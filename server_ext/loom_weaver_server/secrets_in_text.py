"""Keeps credentials out of whatever is written down."""

from __future__ import annotations

import logging
import re

CREDENTIAL = re.compile(r"(loom_sk_|ws_)[A-Za-z0-9_-]{6,}|((?i:token|bearer|basic)[ =]\s*)[^\s&\"',]+")

# Tornado writes URLs, and headers that it could not read.
TORNADO_LOGGERS = ("tornado.access", "tornado.application", "tornado.general")


def scrub(text: str) -> str:
    """`text` without API keys, WebSocket tokens, `token=…` and `Bearer …`."""
    return CREDENTIAL.sub(lambda match: f"{match[1] or match[2]}[secret]", text)


class ScrubbingFilter(logging.Filter):
    """Lets every record pass, without the credentials in it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = scrub(record.getMessage()), None
        return True


def scrub_tornados_log() -> None:
    for name in TORNADO_LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(present, ScrubbingFilter) for present in logger.filters):
            logger.addFilter(ScrubbingFilter())
