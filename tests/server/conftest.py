"""A running server for all tests of this folder, and people of their own for each file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.server.running import People, Person, RunningServer, serving

BASE_URL = "/a%40b/"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One `loom-weaver serve` under a base URL that has to be encoded."""
    data_dir = tmp_path_factory.mktemp("server") / "data"
    with serving(data_dir, base_url=BASE_URL) as running:
        yield running
        running.delete_all_weavers()


@pytest.fixture(scope="module")
def people(server: RunningServer) -> People:
    return server.add_people()


@pytest.fixture
def owner(people: People) -> Person:
    return people.owner


@pytest.fixture
def start_server(tmp_path: Path) -> Callable[..., AbstractContextManager[RunningServer]]:
    """Starts a server of one's own: `with start_server(config="c.Quotas.total = 1") as server: …`."""

    def start(**options: Any) -> AbstractContextManager[RunningServer]:
        return serving(tmp_path / "data", **options)

    return start


@pytest.fixture
def create(people: People) -> Iterator[Callable[..., dict[str, Any]]]:
    """Creates weavers, the owner's if nobody else is named, and deletes them after the test."""
    made: list[str] = []

    def create_weaver(by: Person | None = None, **fields: Any) -> dict[str, Any]:
        creator = by or people.owner
        inside = creator in (people.owner, people.member)
        org_id = people.org_id if inside else people.other_org_id
        reply = creator.http.post("/api/weaver", json={"image": "python", "org_id": org_id, **fields})
        assert reply.status_code == 201, reply.text
        weaver: dict[str, Any] = reply.json()
        made.append(weaver["id"])
        return weaver

    yield create_weaver
    for weaver_id in made:
        people.admin.http.delete(f"/api/weaver/{weaver_id}")
