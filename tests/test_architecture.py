"""What the tools of `scripts/check` cannot see of the house's shape."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import loom_weaver

ROOT = Path(__file__).parent.parent
ROOMS = ("loom_weaver", "server_ext", "tests", "benchmarks", "scripts")
LONGEST_FILE = 300
# Path -> why it is longer than the rest.
LONGER_FILES = {"loom_weaver/client/blocking.py": "scripts/blocking.py has written it"}
# What would make a thousand holder processes slow to start and large to keep.
TOO_MUCH_FOR_A_HOLDER = {"asyncio", "subprocess", "logging", "ssl"}
HEAVY = ("jupyter_server", "kubernetes", "pydantic", "sqlalchemy", "tornado", "traitlets")


def imported_by(statement: str) -> set[str]:
    """The top-level modules that `statement` loads in a fresh interpreter."""
    program = (
        "import json, sys\n"
        "before = set(sys.modules)\n"
        f"{statement}\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in set(sys.modules) - before})))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout))


def test_the_library_is_light_to_import() -> None:
    assert not imported_by("import loom_weaver") & set(HEAVY)


def test_what_holds_a_weaver_needs_a_few_standard_modules_only() -> None:
    loaded = imported_by("import loom_weaver.runtimes.local.forkserver") - {"loom_weaver"}
    assert loaded <= set(sys.stdlib_module_names)
    assert not loaded & TOO_MUCH_FOR_A_HOLDER


def source_files() -> list[Path]:
    return [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_no_file_is_long_without_a_reason() -> None:
    long = {str(path.relative_to(ROOT)) for path in source_files() if lines(path) > LONGEST_FILE}
    assert long == set(LONGER_FILES)


def test_there_is_one_version() -> None:
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    front_end = json.loads((ROOT / "labextension" / "package.json").read_text())["version"]
    assert newest[1] == loom_weaver.__version__ == front_end == importlib.metadata.version("loom-weaver")


@pytest.mark.parametrize("lock", ["lab.txt", "dev.txt"])
def test_a_lock_holds_every_dependency_and_no_place(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = project["dependencies"] + project["optional-dependencies"]["lab"]
    names = {re.split(r"[^a-z0-9-]", requirement)[0] for requirement in asked}
    assert names <= set(re.findall(r"^([a-z0-9-]+)(?:\[\w+\])?==", text, re.MULTILINE))
    assert "://" not in text
    assert not re.search(r"^\s*--(?!hash=)", text, re.MULTILINE)


def test_the_wheel_holds_both_packages_and_enables_the_extension(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(tmp_path), str(ROOT)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    folders = {name.split("/")[0] for name in names}
    version = loom_weaver.__version__
    assert folders == {
        "loom_weaver",
        "loom_weaver_server",
        f"loom_weaver-{version}.data",
        f"loom_weaver-{version}.dist-info",
    }
    assert {"loom_weaver/py.typed", "loom_weaver_server/py.typed"} <= names
    data = f"loom_weaver-{version}.data/data"
    front_end = f"{data}/share/jupyter/labextensions/@loom/weaver-lab"
    assert f"{data}/etc/jupyter/jupyter_server_config.d/loom_weaver_server.json" in names
    assert {f"{front_end}/{name}" for name in ("install.json", "package.json", "static/style.js")} <= names


def test_an_installation_holds_the_front_end() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "jupyter", "labextension", "list"], capture_output=True, text=True, check=True
    )
    report = re.sub(r"\x1b\[\d+m", "", run.stdout + run.stderr)
    assert re.search(rf"@loom/weaver-lab v{loom_weaver.__version__} enabled OK", report), report


def test_the_lock_of_the_front_end_holds_no_place() -> None:
    assert "://" not in (ROOT / "labextension" / "yarn.lock").read_text()


def test_an_installation_enables_the_server_extension(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "jupyter", "server", "extension", "list"]
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(tmp_path), "NO_COLOR": "1"}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    report = re.sub(r"\x1b\[\d+m", "", run.stdout + run.stderr)
    assert "loom_weaver_server enabled" in report
    assert re.search(r"loom_weaver_server \S* OK", report), report
