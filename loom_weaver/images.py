"""Container image references: the grammar of github.com/distribution/reference."""

from __future__ import annotations

import re
from typing import NamedTuple

_DOMAIN_PART = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"(?:{_DOMAIN_PART}(?:\.{_DOMAIN_PART})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_PATH_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
REFERENCE = re.compile(
    rf"(?P<name>(?:{_DOMAIN}/)?{_PATH_PART}(?:/{_PATH_PART})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}))?",
    re.ASCII,
)
# The limit of the reference grammar for the name alone.
LONGEST_NAME = 255


class ImageReference(NamedTuple):
    name: str
    tag: str | None
    digest: str | None


def parse_image(text: str) -> ImageReference:
    """Take `[registry[:port]/]path[:tag][@digest]` apart; raises ValueError for anything else."""
    match = REFERENCE.fullmatch(text)
    if match is None or len(match["name"]) > LONGEST_NAME:
        raise ValueError(
            "must be an image reference such as python, ghcr.io/loom/weaver:latest or name@sha256:… "
            "(lower-case path, optional registry, tag and digest)"
        )
    return ImageReference(match["name"], match["tag"], match["digest"])
