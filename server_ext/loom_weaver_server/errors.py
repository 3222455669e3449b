"""Which HTTP status each error of the house has: the one table, and what goes with it on the wire."""

from __future__ import annotations

from http.client import responses
from typing import Any

from tornado.web import HTTPError, MissingArgumentError

from loom_weaver import errors

STATUS: dict[type[errors.LoomError], int] = {
    errors.BadRequest: 400,
    errors.Unauthorized: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.Conflict: 409,
    errors.PayloadTooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.TooManyWeavers: 429,
    errors.RateLimited: 429,
    errors.RuntimeFailure: 502,
    errors.Unavailable: 503,
    errors.RuntimeTimeout: 504,
}
INTERNAL_ERROR = "The server failed to answer this request; its log tells more under this X-Request-Id"
# What Tornado and Jupyter raise on their own, in our words.
FOREIGN: dict[int, type[errors.LoomError]] = {
    400: errors.BadRequest,
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    409: errors.Conflict,
    413: errors.PayloadTooLarge,
    415: errors.UnsupportedMediaType,
    429: errors.RateLimited,
    502: errors.RuntimeFailure,
    503: errors.Unavailable,
    504: errors.RuntimeTimeout,
}


def translate(error: BaseException | None) -> errors.LoomError | None:
    """`error` as one of ours; None for one that nobody foresaw."""
    if isinstance(error, errors.LoomError):
        return error
    if isinstance(error, MissingArgumentError):
        return errors.BadRequest("is required", field=error.arg_name)
    if isinstance(error, HTTPError) and error.status_code in FOREIGN:
        return FOREIGN[error.status_code](responses.get(error.status_code, "Unknown error"))
    return None


def status_of(error: errors.LoomError | None) -> int:
    return 500 if error is None else next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def body_of(error: errors.LoomError | None) -> dict[str, Any]:
    if error is None:
        return {"error": errors.LoomError.code, "message": INTERNAL_ERROR}
    body: dict[str, Any] = {"error": error.code, "message": error.message}
    if isinstance(error, errors.BadRequest):
        body["details"] = [detail._asdict() for detail in error.details]
    return body


def headers_of(error: errors.LoomError | None) -> dict[str, str]:
    if isinstance(error, errors.Unauthorized):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, errors.RetryLater):
        return {"Retry-After": str(error.retry_after)}
    return {}
