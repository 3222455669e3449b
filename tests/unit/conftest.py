"""Fixtures of the unit tests."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import pytest

from loom_weaver.runtimes.local import isolation
from tests.sandboxes import Sandboxes, nobody, open_folder


@functools.cache
def _why_not(kind: str) -> str | None:
    return isolation.why_not(kind)


def _sandboxes(kind: str, *, as_nobody: bool) -> Iterator[Sandboxes]:
    reason = _why_not(kind)
    if reason is not None:
        pytest.skip(f"{kind} does not work here: {reason}")
    user = nobody() if as_nobody else None
    if as_nobody and user is None:
        pytest.skip("only root can act as somebody else")
    with open_folder() as folder:
        yield Sandboxes(kind, folder, user)


@pytest.fixture(
    params=[("bubblewrap", False), ("bubblewrap", True), ("landlock", False), ("landlock", True)],
    ids=["bubblewrap", "bubblewrap-nobody", "landlock", "landlock-nobody"],
)
def sandboxes(request: pytest.FixtureRequest) -> Iterator[Sandboxes]:
    """Of each kind, for the user of these tests and, where that is root, for one without any rights."""
    kind, as_nobody = request.param
    yield from _sandboxes(kind, as_nobody=as_nobody)


@pytest.fixture(params=[False, True], ids=["", "nobody"])
def bubblewrap(request: pytest.FixtureRequest) -> Iterator[Sandboxes]:
    yield from _sandboxes("bubblewrap", as_nobody=request.param)
