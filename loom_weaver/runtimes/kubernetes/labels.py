"""Labels to select pods by and annotations that hold what the wire shows; both are the memory of a weaver."""

from __future__ import annotations

import hashlib
import re

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "loom-weaver"
INSTALLATION = "loom-weaver/installation"
WEAVER = "loom-weaver/weaver"
OWNER = "loom-weaver/owner"
ORG = "loom-weaver/org"

# Annotations: the exact values.
CREATED_AT = "loom-weaver/created-at"
LIFETIME_HOURS = "loom-weaver/lifetime-hours"
EXTENDED_AT = "loom-weaver/extended-at"
IMAGE = "loom-weaver/image"
REPO = "loom-weaver/repo"
TAGS = "loom-weaver/tags"
RESOURCES = "loom-weaver/resources"
# Which of `command` and `args` were asked for; their values stand in the container.
GIVEN = "loom-weaver/given"

LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?", re.ASCII)


def label_value(text: str) -> str:
    """`text` where it may be a label's value, else a digest of it, which is one."""
    if text and LABEL_VALUE.fullmatch(text):
        return text
    return "sha256-" + hashlib.sha256(text.encode()).hexdigest()[:40]


def selector(installation: str) -> str:
    """What selects the pods of one installation, and nobody else's."""
    return f"{MANAGED_BY}={MANAGER},{INSTALLATION}={label_value(installation)}"


def labels(installation: str, weaver_id: str, owner: str, org: str) -> dict[str, str]:
    return {
        MANAGED_BY: MANAGER,
        "app.kubernetes.io/name": "weaver",
        INSTALLATION: label_value(installation),
        WEAVER: label_value(weaver_id),
        OWNER: label_value(owner),
        ORG: label_value(org),
    }
