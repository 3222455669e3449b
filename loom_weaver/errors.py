"""The error tree. Each class carries the `error` code of the wire; HTTP statuses belong to the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple


class FieldError(NamedTuple):
    """One wrong field: its path (`env.A`) and what is wrong with it and how to mend it."""

    field: str
    message: str


class LoomError(Exception):
    """Root of everything this project raises on purpose; `message` is fit for the caller's eyes."""

    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.request_id: str | None = None
        """The `X-Request-Id` of the answer that told this, where a server did."""


class BadRequest(LoomError):
    """The caller's input is wrong; `details` names each field."""

    code = "bad_request"

    def __init__(self, message: str, *, field: str | None = None, details: Sequence[FieldError] = ()) -> None:
        self.details = tuple(details) or ((FieldError(field, message),) if field else ())
        super().__init__(f"{field}: {message}" if field and not details else message)


class Unauthorized(LoomError):
    code = "unauthorized"


class Forbidden(LoomError):
    code = "forbidden"


class NotFound(LoomError):
    code = "not_found"


class MethodNotAllowed(LoomError):
    code = "method_not_allowed"


class PayloadTooLarge(LoomError):
    code = "payload_too_large"


class UnsupportedMediaType(LoomError):
    code = "unsupported_media_type"


class Conflict(LoomError):
    code = "conflict"


class RetryLater(LoomError):
    """The same call may succeed later; `retry_after` is in seconds."""

    def __init__(self, message: str, *, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooManyWeavers(RetryLater):
    code = "too_many_weavers"


class RateLimited(RetryLater):
    code = "rate_limited"


class Unavailable(RetryLater):
    code = "unavailable"


class RuntimeFailure(LoomError):
    """The runtime answered, but with an error of its own."""

    code = "runtime_error"


class RuntimeTimeout(LoomError):
    """The runtime did not answer in time."""

    code = "runtime_timeout"
