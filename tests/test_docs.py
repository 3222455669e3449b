"""The documents say what is true: their commands run, their links lead somewhere, and nothing is left out."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from loom_weaver.models import CreateWeaver, ExecRequest, ExecResult, Me, WeaverObject
from loom_weaver.runtimes.local.descendants import kill_process
from loom_weaver.terminal_protocol import CloseCode
from loom_weaver_server.errors import STATUS
from loom_weaver_server.openapi import document
from loom_weaver_server.routes import ROUTES
from scripts.options import MARK, PAGE, configurables, name_of, tables
from tests.server.running import free_port

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
API = ROOT / "docs" / "api.md"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
PORT_OF_THE_README = "8999"
# A character that no output holds, between those of the README's blocks.
SEPARATOR = "\x1e"
VERBS = "GET|POST|PUT|PATCH|DELETE"


def code_blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home folder of nobody; whatever was started in it ends with the test."""
    config = tmp_path / ".jupyter" / "jupyter_loom_weaver_config.py"
    config.parent.mkdir()
    # Tests run also where nothing isolates.
    config.write_text("c.WeaverService.allow_unisolated = True\n")
    yield tmp_path
    for record in tmp_path.glob(".local/share/jupyter/loom-weaver/weavers/*/record.json"):
        holder = json.loads(record.read_text())["holder"]
        if holder:
            kill_process(*holder)


def run_as_pasted(blocks: list[str], home: Path) -> list[str]:
    """What each block prints, in one shell that stops at a failure; its first job is ended at last."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    script = f"printf '\\n{SEPARATOR}\\n'\n".join([*blocks, "kill %1\nwait %1\n"])
    with (home / "output").open("w+") as output, (home / "log").open("w+") as log:
        shell = subprocess.Popen(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=ROOT,
            env={**inherited, "HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=log,
            start_new_session=True,
        )
        try:
            exit_code = shell.wait(timeout=100)
        finally:
            if shell.poll() is None:
                os.killpg(shell.pid, signal.SIGKILL)
                shell.wait()
        output.seek(0)
        log.seek(0)
        printed = output.read()
        assert exit_code == 0, f"{printed}\n{log.read()}"
    return printed.split(SEPARATOR)[:-1]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("curl"), reason="the README's commands need curl")
def test_the_readme_works_as_pasted(home: Path) -> None:
    port = str(free_port())
    blocks = [block.replace(PORT_OF_THE_README, port) for block in code_blocks(README, "bash")]
    server, people, me, weaver, terminal, shell, python = run_as_pasted(blocks, home)
    assert '{"status":"ok"}' in server
    assert re.fullmatch(r"\s*user_\w+\n[0-9a-f-]{36}\s*", people)
    assert '"name":"ada"' in me
    assert people.split()[1] in me
    for number in (1, 2, 3):
        assert re.search(rf"^data: \S+Z line {number}$", weaver, re.MULTILINE)
    assert "event: end" in weaver
    assert weaver.count('"status":"succeeded"') == 2
    assert '"count":1' in weaver
    assert "HTTP/1.1 204 No Content" in weaver
    assert "\n42\n" in terminal
    assert terminal.rstrip().endswith("1000 exited 0")
    made, answer, _, *rows, deleted = shell.strip().splitlines()
    assert (answer, deleted) == ("42", made)
    assert any(row.startswith(f"{made}  running") and "name=demo" in row for row in rows)
    answer, *runs = filter(None, python.splitlines())
    assert (answer, sorted(runs)) == ("42", [f"{n} 0 run {n}" for n in range(3)])


def headings(page: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" not in link:
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), link
            assert not anchor or anchor in headings(target), link


def test_what_the_architecture_names_is_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    rooms = [*(ROOT / "loom_weaver").rglob("*.py"), *(ROOT / "server_ext").rglob("*.py")]
    rooms += (ROOT / "labextension" / "src").rglob("*.ts*")
    sources = [path.read_text() for path in rooms]
    for name, member in re.findall(r"`([A-Z][A-Za-z]+)\.(\w+)", text):
        declared = re.compile(rf"^(?:export )?class {name}\b", re.MULTILINE)
        homes = [source for source in sources if declared.search(source)]
        assert any(re.search(rf"\b{member}\b", source) for source in homes), f"{name}.{member}"
    for name in re.findall(r"`([\w/]+\.(?:py|tsx?))`", text):
        assert any(str(path).endswith(f"/{name}") for path in rooms), name


def test_every_option_and_command_is_documented_as_it_is() -> None:
    written = PAGE.read_text().partition(MARK)[2].strip()
    assert "`LoomWeaverApp.data_dir`" in written
    assert "`loom-weaver admin key create USER" in written
    assert written == tables().strip(), "run: python scripts/options.py"


def test_every_option_that_a_page_names_is_taken() -> None:
    """By a server that has it in its configuration, under the very name."""
    classes = {name_of(each): each for each in configurables()}
    classes |= {each.__name__: each for one in configurables() for each in one.__subclasses__()}
    named = {
        (page.name, *option)
        for page in PAGES
        # There it is methods that are named so.
        if page.name != "architecture.md"
        for option in re.findall(r"(?:`|\bc\.)([A-Z]\w+)\.(\w+)(?:`| = )", page.read_text())
        if option[0] in classes
    }
    assert ("configuration.md", "KubernetesRuntime", "namespace") in named
    assert ("kubernetes.md", "KubernetesRuntime", "pod_template") in named
    unknown = [each for each in named if each[2] not in classes[each[1]].class_traits(config=True)]
    assert not unknown
    assert not [page.name for page in PAGES if "KubernetesOptions." in page.read_text()]


def test_every_call_of_the_api_is_documented_and_no_other() -> None:
    paths = document(ROUTES)["paths"]
    calls = {f"{verb.upper()} {path}" for path, verbs in paths.items() for verb in verbs}
    assert set(re.findall(rf"`((?:{VERBS}) /[^`?]*)`", API.read_text())) == calls


def test_every_error_is_documented_with_its_status() -> None:
    text = API.read_text()
    rows = {(int(status), code) for status, code in re.findall(r"^\| (\d{3}) \| `(\w+)`", text, re.MULTILINE)}
    assert rows == {(status, error.code) for error, status in STATUS.items()} | {(500, "internal_error")}


def test_every_close_code_is_documented() -> None:
    rows = re.findall(r"^\| (\d{4}) \|", API.read_text(), re.MULTILINE)
    assert set(map(int, rows)) == set(CloseCode)


@pytest.mark.parametrize("model", [CreateWeaver, WeaverObject, ExecRequest, ExecResult, Me])
def test_every_field_is_documented(model: type[BaseModel]) -> None:
    text = API.read_text()
    missing = [name for name in model.model_fields if f"`{name}`" not in text and f'"{name}":' not in text]
    assert not missing
