"""The notebooks of `notebooks/` run from top to bottom, and are kept with outputs worth reading."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from scripts.notebooks import NOTEBOOKS, executed, tidied
from tests.notebook.readers import readers_of
from tests.server.running import RunningServer

NAMES = [path.stem for path in NOTEBOOKS]


@pytest.fixture(scope="module")
def readers(server: RunningServer) -> Iterator[dict[str, dict[str, str]]]:
    with readers_of(server) as environments:
        yield environments


def test_there_is_a_tour_and_one_for_admins() -> None:
    assert set(NAMES) == {"tour", "admin"}


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_a_notebook_runs_and_shows_what_is_kept(path: Path, readers: dict[str, dict[str, str]]) -> None:
    kept = nbformat.read(path, as_version=4)
    ran = tidied(executed(path, readers[path.stem]))
    assert [shape(cell) for cell in ran.cells] == [shape(cell) for cell in kept.cells]


def shape(cell: nbformat.NotebookNode) -> list[tuple[str, list[str]]]:
    """What kinds of outputs a cell has."""
    return [
        (output.output_type, sorted(output.get("data", [output.get("name")])))
        for output in cell.get("outputs", [])
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_a_notebook_tells_nothing_of_the_machine_it_ran_on(path: Path) -> None:
    text = path.read_text()
    for secret in ("loom_sk_", "ws_", "LOOM_WEAVER_API_KEY", "127.0.0.1"):
        assert secret not in text
    assert not re.search(r"/(home|root|tmp|work|usr|Users)/", text)
    for cell in json.loads(text)["cells"]:
        assert cell["cell_type"] == "markdown" or cell["execution_count"]
