"""A server for all tests of the command line, and the command line as its user has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command_line import CommandLine
from tests.server.running import People, RunningServer, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    data_dir = tmp_path_factory.mktemp("cli") / "data"
    with serving(data_dir, base_url="/a%40b/") as running:
        yield running
        running.delete_all_weavers()


@pytest.fixture(scope="module")
def people(server: RunningServer) -> People:
    return server.add_people()


@pytest.fixture
def cli(server: RunningServer, people: People, tmp_path: Path) -> Iterator[CommandLine]:
    """As the owner; the weavers made by it are deleted after the test."""
    line = CommandLine(server.url, people.owner.key, tmp_path)
    yield line
    line.delete_all()


@pytest.fixture
def start_server(tmp_path: Path) -> Callable[..., AbstractContextManager[RunningServer]]:
    """Starts a server of one's own."""

    def start(**options: Any) -> AbstractContextManager[RunningServer]:
        return serving(tmp_path / "data", **options)

    return start
