"""Tests on a real Kubernetes cluster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kube_cluster import Kube, kube
from tests.postgres import postgres

__all__ = ["kube", "namespace", "postgres"]


@pytest.fixture
def namespace(kube: Kube) -> Iterator[str]:
    """A namespace of the test's own, where Pod Security is `restricted`."""
    with kube.namespace() as name:
        yield name
