"""What an answer that is no success says, as errors of ours. Light: one call of a command line loads it."""

from __future__ import annotations

import json
from http.client import responses
from typing import Any, Protocol

from loom_weaver import errors
from loom_weaver.client.errors import NotALoomServer, ServerFailed
from loom_weaver.errors import BadRequest, FieldError, LoomError, RetryLater

OWN_WORDS: dict[str, type[LoomError]] = {
    kind.code: kind
    for kind in (
        errors.Unauthorized,
        errors.Forbidden,
        errors.NotFound,
        errors.MethodNotAllowed,
        errors.PayloadTooLarge,
        errors.UnsupportedMediaType,
        errors.Conflict,
        errors.TooManyWeavers,
        errors.RateLimited,
        errors.Unavailable,
        errors.RuntimeFailure,
        errors.RuntimeTimeout,
        ServerFailed,
    )
}
# What a proxy in between says when the server behind it is away.
OF_A_PROXY: dict[int, type[LoomError]] = {
    429: errors.RateLimited,
    502: errors.Unavailable,
    503: errors.Unavailable,
    504: errors.Unavailable,
}
DEFAULT_RETRY_AFTER = 5


class Answer(Protocol):
    """An HTTP answer, of httpx or of websockets."""

    @property
    def status_code(self) -> int: ...
    @property
    def content(self) -> bytes: ...
    @property
    def headers(self) -> Any: ...


def error_of(answer: Answer, url: str) -> LoomError:
    """The error that `answer` of the server at `url` tells, in the server's own words."""
    try:
        body = json.loads(answer.content)
        code, message = body["error"], body["message"]
    except (ValueError, TypeError, KeyError):
        return _foreign(answer, url)
    error = _of_code(str(code), str(message), body, answer.headers)
    error.request_id = answer.headers.get("X-Request-Id")
    return error


def _of_code(code: str, message: str, body: dict[str, Any], headers: Any) -> LoomError:
    if code == BadRequest.code:
        return BadRequest(message, details=_details(body.get("details")))
    kind = OWN_WORDS.get(code, ServerFailed)
    if issubclass(kind, RetryLater):
        return kind(message, retry_after=_retry_after(headers))
    return kind(message)


def _details(details: Any) -> list[FieldError]:
    if not isinstance(details, list):
        return []
    return [
        FieldError(str(detail.get("field")), str(detail.get("message")))
        for detail in details
        if isinstance(detail, dict)
    ]


def _foreign(answer: Answer, url: str) -> LoomError:
    """An answer that is not of this API: a proxy's, or that of some other server."""
    status = answer.status_code
    told = f"{status} {responses.get(status, '')}".strip()
    kind = OF_A_PROXY.get(status)
    if kind is not None and issubclass(kind, RetryLater):
        return kind(f"{url} is not available now ({told})", retry_after=_retry_after(answer.headers))
    if 300 <= status < 400:
        told += f", to {answer.headers.get('Location', 'somewhere else')}"
    return NotALoomServer(
        f"{url} answers {told}, not as a server with weavers does: check the URL, and that loom-weaver is "
        "installed there"
    )


def _retry_after(headers: Any) -> int:
    text = str(headers.get("Retry-After", ""))
    return int(text) if text.isascii() and text.isdigit() else DEFAULT_RETRY_AFTER
