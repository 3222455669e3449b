"""A server for all tests of the Python client, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loom_weaver import AsyncClient, Client
from loom_weaver.client import Timeouts
from tests.server.running import PATIENCE, People, RunningServer, serving, wait_for

# A server that is started again takes a while on a machine that does much else.
TIMEOUTS = Timeouts(retry=PATIENCE, reconnect=2 * PATIENCE)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    data_dir = tmp_path_factory.mktemp("client") / "data"
    with serving(data_dir, base_url="/a%40b/") as running:
        yield running
        running.delete_all_weavers()


@pytest.fixture
def people(server: RunningServer) -> People:
    """Of this test alone: what they own can be counted."""
    return server.add_people()


@pytest.fixture
def client(server: RunningServer, people: People) -> Iterator[Client]:
    """The owner's; nothing may be left behind."""
    with Client(server.url, people.owner.key, timeouts=TIMEOUTS) as made:
        yield made
        assert_nothing_left(made)


@pytest.fixture
def async_client(server: RunningServer, people: People) -> AsyncClient:
    """The owner's, to be opened with `async with`."""
    return AsyncClient(server.url, people.owner.key, timeouts=TIMEOUTS)


def assert_nothing_left(client: Client) -> None:
    wait_for(lambda: not client.list(mine=True), "all weavers to be gone")
