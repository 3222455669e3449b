"""Credentials are taken out of what is written down."""

from __future__ import annotations

import logging

import pytest

from loom_weaver_server.secrets_in_text import ScrubbingFilter, scrub


@pytest.mark.parametrize(
    "text",
    [
        "/api/weavers?token=SECRET",
        "/api/weavers?a=b&token=SECRET&c=d",
        "Authorization: Bearer SECRET",
        "authorization: bearer  SECRET",
        "{'Authorization': 'token SECRET'}",
        "Basic SECRET=",
        "loom_sk_SECRET",
        "a ws_SECRET-x of somebody",
        "Invalid header value 'Bearer SECRET\\x00'",
    ],
)
def test_scrubbed(text: str) -> None:
    assert "SECRET" not in scrub(text)
    assert "[secret]" in scrub(text)


@pytest.mark.parametrize("text", ["", "/api/weaver/weaver_abc", "tokens are kept as hashes", "ws_"])
def test_left_alone(text: str) -> None:
    assert scrub(text) == text


def test_a_record_passes_without_its_secret() -> None:
    record = logging.makeLogRecord({"msg": "%s %s", "args": ("GET", "/?token=SECRET")})
    assert ScrubbingFilter().filter(record)
    assert record.getMessage() == "GET /?token=[secret]"
