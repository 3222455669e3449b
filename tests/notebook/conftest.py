"""A server and a kernel for all tests of notebooks."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from loom_weaver import Client
from tests.notebook.kernels import Notebook, kernel
from tests.server.running import People, RunningServer, serving, wait_for


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    data_dir = tmp_path_factory.mktemp("notebook") / "data"
    with serving(data_dir, base_url="/a%40b/") as running:
        yield running
        running.delete_all_weavers()


@pytest.fixture(scope="session")
def people(server: RunningServer) -> People:
    return server.add_people()


@pytest.fixture(scope="session")
def environment(
    server: RunningServer, people: People, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Of a kernel whose user is the owner."""
    home = tmp_path_factory.mktemp("home")
    return os.environ | {
        "LOOM_WEAVER_URL": server.url,
        "LOOM_WEAVER_API_KEY": people.owner.key,
        "IPYTHONDIR": str(home),
        "JUPYTER_RUNTIME_DIR": str(home),
    }


@pytest.fixture(scope="session")
def shared_notebook(environment: dict[str, str]) -> Iterator[Notebook]:
    with kernel(environment) as notebook:
        assert notebook.run("%load_ext loom_weaver").status == "ok"
        yield notebook


@pytest.fixture
def client(server: RunningServer, people: People) -> Iterator[Client]:
    """The owner's."""
    with Client(server.url, people.owner.key) as made:
        yield made


@pytest.fixture
def notebook(shared_notebook: Notebook, client: Client) -> Iterator[Notebook]:
    """With the magics loaded; the weavers of a test end with it."""
    yield shared_notebook
    for weaver in client.list(mine=True):
        if weaver.status != "terminating":
            client.delete(weaver.id)
    wait_for(lambda: not client.list(mine=True), "all weavers to be gone")
