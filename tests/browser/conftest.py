"""One JupyterLab and one browser for all tests of this folder.

`--runtime kubernetes` has its weavers on a cluster, and leaves the tests to those that are marked `core`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.on_cluster import RUNTIME, weavers_as_pods
from tests.browser.running_lab import CHROMIUM, FLAGS, PATIENCE_MS, Labs, execute, serving_lab
from tests.kube_cluster import kube
from tests.server.running import People, RunningServer

__all__ = ["kube"]

expect.set_options(timeout=PATIENCE_MS)
# Seconds: the machine may be busy with much else, and whatever hangs is found by the waits of the tests.
LONGEST_TEST = 300


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "core: is passed on Kubernetes too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    own = [item for item in items if item.path.is_relative_to(here)]
    for item in own:
        if not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(LONGEST_TEST))
    if on_a_cluster(config):
        others = [item for item in own if not item.get_closest_marker("core")]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


def on_a_cluster(config: pytest.Config) -> bool:
    return RUNTIME in (config.getoption("runtime") or [])


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """JupyterLab under a prefix that has to be encoded."""
    with ExitStack() as stack:
        config = ""
        if on_a_cluster(request.config):
            config = stack.enter_context(weavers_as_pods(request.getfixturevalue("kube")))
        running = stack.enter_context(serving_lab(tmp_path_factory.mktemp("lab"), config=config))
        yield running
        running.delete_all_weavers()


@pytest.fixture(scope="module")
def people(server: RunningServer) -> People:
    # Playwright has an event loop in this thread.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(server.add_people).result()


@pytest.fixture
def labs(browser: Browser, server: RunningServer) -> Iterator[Labs]:
    """Pages of the test's own, closed with it: `labs.open()`."""
    labs = Labs(browser, server)
    yield labs
    labs.close()
    assert not labs.thrown


@pytest.fixture(scope="module")
def shared_labs(browser: Browser, server: RunningServer) -> Iterator[Labs]:
    labs = Labs(browser, server)
    yield labs
    labs.close()


@pytest.fixture(scope="module")
def page_of_module(shared_labs: Labs) -> Page:
    return shared_labs.open()


@pytest.fixture
def lab(page_of_module: Page, shared_labs: Labs) -> Iterator[Page]:
    """The page that all tests of a file share: loading Lab takes seconds. A test leaves it as it was."""
    yield page_of_module
    thrown, shared_labs.thrown = shared_labs.thrown, []
    assert not thrown


@pytest.fixture
def desk(lab: Page) -> Iterator[Page]:
    """The shared page, with nothing in its main area; what a test opened there is closed after it."""
    yield lab
    execute(lab, "application:close-all")


@pytest.fixture
def create(server: RunningServer) -> Iterator[Callable[..., dict[str, Any]]]:
    """Creates weavers of the user of the page, and deletes them after the test."""
    made: list[str] = []
    with server.http() as http:
        me = http.get("/api/weavers/me")
        assert me.status_code == 200, me.text
        org_id = me.json()["default_org_id"]

        def create_weaver(**fields: Any) -> dict[str, Any]:
            headers = {"Idempotency-Key": str(uuid.uuid4())}
            body = {"image": "shell", "org_id": org_id, **fields}
            reply = http.post("/api/weaver", json=body, headers=headers)
            assert reply.status_code == 201, reply.text
            weaver: dict[str, Any] = reply.json()
            made.append(weaver["id"])
            return weaver

        yield create_weaver
        for weaver_id in made:
            http.delete(f"/api/weaver/{weaver_id}")
