"""What an error of the Kubernetes API means, in the house's own words."""

from __future__ import annotations

import msgspec

from loom_weaver.errors import (
    BadRequest,
    Conflict,
    LoomError,
    NotFound,
    RuntimeFailure,
    TooManyWeavers,
    Unavailable,
)

# What a ResourceQuota says, and a LimitRange; everything else that is 403 is a missing right.
QUOTA_WORDS = ("exceeded quota", "failed quota")
LIMIT_RANGE_WORDS = ("maximum cpu usage", "maximum memory usage", "minimum cpu usage", "minimum memory usage")
POD_SECURITY_WORDS = "violates PodSecurity"
QUOTA_RETRY_SECONDS = 30
BUSY_RETRY_SECONDS = 5


class StatusCause(msgspec.Struct, gc=False):
    field: str = ""
    message: str = ""
    reason: str = ""


class StatusDetails(msgspec.Struct, gc=False):
    causes: list[StatusCause] = []
    retryAfterSeconds: int = 0  # noqa: N815 (the wire's name)


class Status(msgspec.Struct, gc=False):
    """`meta/v1 Status`: how Kubernetes tells an error."""

    message: str = ""
    reason: str = ""
    code: int = 0
    details: StatusDetails | None = None


class Refusal(RuntimeFailure):
    """Kubernetes answered with an error.

    `message` names the call only and is fit for everybody; `text` is what Kubernetes said, for the log and
    for those who decide by it.
    """

    def __init__(self, call: str, status: int, body: bytes = b"") -> None:
        told = _status_of(body)
        self.call = call
        self.status = status
        self.reason = told.reason
        self.text = told.message
        self.causes = told.details.causes if told.details else []
        word = f"{status} {told.reason}" if told.reason else str(status)
        super().__init__(f"Kubernetes refused to {call} ({word})")

    @property
    def is_gone(self) -> bool:
        """Whether the asked-for version is too old to go on from."""
        return self.status == 410 or self.reason == "Expired"

    @property
    def is_quota(self) -> bool:
        return self.status == 403 and any(words in self.text for words in QUOTA_WORDS)


def _status_of(body: bytes) -> Status:
    """Not every error is JSON: a kubelet's come as plain text."""
    try:
        return msgspec.json.decode(body, type=Status)
    except msgspec.DecodeError:
        return Status(message=body.decode(errors="replace").strip())


def create_error(refusal: Refusal) -> LoomError:
    """What a refused create of a weaver means to who asked for it."""
    if refusal.is_quota:
        return TooManyWeavers(quota_sentence(refusal.text), retry_after=QUOTA_RETRY_SECONDS)
    if refusal.status == 403:
        return _forbidden(refusal)
    if refusal.status == 422:
        return BadRequest(_invalid_sentence(refusal))
    if refusal.status in (413, 500) and "too large" in refusal.text:
        return BadRequest("env, command, args and tags together are more than Kubernetes stores; give less")
    return other_error(refusal)


def other_error(refusal: Refusal) -> LoomError:
    """What a refused call about a weaver means where nothing more is known of the call."""
    if refusal.status == 404:
        return NotFound("The weaver's pod is gone")
    if refusal.status == 409:
        return Conflict("The weaver changed at the same moment; look at it and try again")
    if refusal.status in (429, 503):
        return Unavailable(
            "Kubernetes is too busy to answer; try again shortly", retry_after=BUSY_RETRY_SECONDS
        )
    return refusal


def quota_sentence(text: str) -> str:
    """What is used up, without the rest of the Kubernetes message."""
    if "must specify" in text:
        missing = text.partition("must specify")[2].strip()
        return f"The namespace's ResourceQuota wants every weaver to say {missing}; set resources"
    used = text.partition("exceeded quota:")[2].partition(",")[2].strip()
    return f"The namespace's ResourceQuota is used up ({used}); delete a weaver, or wait until one ends"


def _forbidden(refusal: Refusal) -> LoomError:
    text = refusal.text
    if any(words in text for words in LIMIT_RANGE_WORDS):
        return BadRequest(
            f"the namespace's LimitRange refuses them: {_after_forbidden(text)}", field="resources"
        )
    if POD_SECURITY_WORDS in text:
        return RuntimeFailure(
            "The namespace's Pod Security refuses weavers as this server is set up to make them: "
            + text[text.index(POD_SECURITY_WORDS) :]
        )
    return RuntimeFailure(
        f"Kubernetes does not let this server {refusal.call}; an administrator can find out with "
        "`kubectl auth can-i` what is missing"
    )


def _after_forbidden(text: str) -> str:
    return text.partition(" is forbidden: ")[2] or text


def _invalid_sentence(refusal: Refusal) -> str:
    fields = "; ".join(f"{cause.field}: {cause.message}" for cause in refusal.causes)
    return f"Kubernetes takes no such pod: {fields}" if fields else "Kubernetes takes no such pod"
