"""The guide's examples and the recipes do what they say, against a real server."""

from __future__ import annotations

import doctest
import inspect
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import loom_weaver.client
from loom_weaver import Client, errors
from loom_weaver.client.blocking import Weaver
from tests.server.running import People, wait_for
from tests.test_docs import ROOT, code_blocks

GUIDE, RECIPES = ROOT / "docs" / "client.md", ROOT / "docs" / "recipes.md"


@pytest.fixture(autouse=True)
def reader(client: Client, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """As who reads them: the server is in the environment."""
    monkeypatch.setenv("LOOM_WEAVER_URL", client.url)
    monkeypatch.setenv("LOOM_WEAVER_API_KEY", people.owner.key)


@pytest.mark.slow
def test_the_guides_sessions_are_as_they_stand() -> None:
    text = "\n".join(code_blocks(GUIDE, "pycon"))
    session = doctest.DocTestParser().get_doctest(text, {}, "client.md", str(GUIDE), 0)
    assert len(session.examples) > 30
    try:
        report: list[str] = []
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        runner.run(session, out=report.append, clear_globs=False)
        assert not runner.failures, "".join(report)
    finally:
        session.globs["client"].close()


def test_the_guides_program_runs() -> None:
    (program,) = code_blocks(GUIDE, "python")
    assert _run(program) == "one\ntwo\nthree\n"


def test_every_method_is_in_the_guide() -> None:
    text = GUIDE.read_text()
    for owner in (Client, Weaver):
        names = [name for name, _ in inspect.getmembers(owner) if not name.startswith("_")]
        assert [name for name in names if not re.search(rf"\b{name}(\(|`)", text)] == []


def test_every_error_is_in_the_guide() -> None:
    own = [
        name
        for name in loom_weaver.client.__all__
        if isinstance(kind := getattr(loom_weaver.client, name), type) and issubclass(kind, errors.LoomError)
    ]
    assert len(own) == 8
    for name in own:
        assert re.search(rf"^\| `{name}`", GUIDE.read_text(), re.MULTILINE), name


def recipe(number: int) -> str:
    return code_blocks(RECIPES, "python")[number]


@pytest.mark.slow
def test_a_hundred_experiments(client: Client) -> None:
    lines = _run(recipe(0)).splitlines()
    assert re.fullmatch(r"96 scores, the best of seed \d+", lines[0])
    assert lines[1:] == [f"seed {n} failed with 1: this setting diverges" for n in (24, 49, 74, 99)]


def test_a_ci_job(client: Client, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "data").write_text("7\n")
    job = 'echo ran; cat data > "my report"; echo warned >&2; exit 3'
    arguments = ["src", job, "my report"]
    run = subprocess.run(
        [sys.executable, "-c", recipe(1), *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (3, "ran\n", "warned\n")
    assert (tmp_path / "my report").read_text() == "7\n"


def test_a_ci_job_that_is_cancelled_leaves_no_weaver(client: Client, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", recipe(1), "src", "echo up; sleep 1000", "report"],
        cwd=tmp_path,
        env=os.environ.copy(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (1, "cancelled\n")
    wait_for(lambda: not client.list(mine=True), "the weaver to be gone")


def test_a_tool_for_an_agent() -> None:
    first, second, *third = _run(recipe(2)).splitlines()
    assert (first, second) == ("(no output)", "42")
    assert third[-2:] == ["ZeroDivisionError: division by zero", "It exited with 1."]


def _run(program: str, *arguments: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout
