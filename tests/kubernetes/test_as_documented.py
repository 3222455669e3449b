"""The commands of docs/kubernetes.md, as they are written there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.cli.screens import Screen, on_screen
from tests.kube_cluster import Kube, tool
from tests.kubernetes.relay import Relay
from tests.postgres import database
from tests.server.running import PATIENCE, free_port

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "kubernetes.md").read_text()
NAMESPACES = ("loom-weaver", "loom-weavers")
# What a reader fills in, or has taken already.
DATABASE, PORT, OWN_PORT = "USER:PASSWORD@HOST/NAME", "8765", "8999"
# Servers that start on a machine that does much else.
ROLLOUT_SECONDS = 300
pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]


def commands(title: str) -> list[str]:
    """Those of a section's first block, one by one."""
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    block = re.search(r"^```console\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert block is not None
    return block[1].replace("\\\n", " ").splitlines()


def bullet(title: str) -> str:
    """The first command of an item of the page."""
    item = PAGE.partition(f"- **{title}**")[2]
    return " ".join(item.split("`")[1].split())


class Shell:
    """A reader's: in the checkout, with the tools and the cluster."""

    def __init__(self, kube: Kube, home: Path, **told: str) -> None:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("JUPYTER", "LOOM_WEAVER", "KUBECONFIG"))
        }
        programs = (sys.executable, tool("kubectl"), tool("helm"))
        self._environment = {
            **inherited,
            "PATH": os.pathsep.join([*(str(Path(each).parent) for each in programs), inherited["PATH"]]),
            "HOME": str(home),
            "TERM": "xterm-256color",
            "KUBECONFIG": str(kube.kubeconfig.resolve()),
            **told,
        }

    def run(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-e", "-c", command],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=ROLLOUT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    @contextmanager
    def on_screen(self, *lines: str) -> Iterator[Screen]:
        """Together in one shell, which takes its background jobs along."""
        script = f"cd {ROOT}; trap 'kill $(jobs -p)' EXIT; " + "\n".join(lines)
        with on_screen(["bash", "-e", "-c", script], self._environment) as screen:
            yield screen


@pytest.fixture
def empty(kube: Kube) -> Iterator[Kube]:
    """A cluster of ours without the page's namespaces, and so afterwards."""
    kube.take_server_image()
    delete = ("delete", "namespace", *NAMESPACES, "--ignore-not-found")
    # The test before is on its way out.
    kube.kubectl(*delete, "--timeout=90s")
    try:
        yield kube
    finally:
        kube.kubectl(*delete, "--wait=false")


def work_in_python(screen: Screen) -> None:
    """In the REPL that a new weaver is; it is left there."""
    # Behind it: a server, or a way to one, and a pod that start.
    screen.until(lambda: "In [1]" in screen.text or ">>>" in screen.text, "a prompt", 4 * PATIENCE)
    screen.type("6 * 7\r")
    screen.until(lambda: re.search(r"^(?:Out\[1\]: )?42$", screen.text, re.MULTILINE), "the answer")
    screen.type("exit()\r")
    assert screen.ended() == 0


def test_from_nothing_to_weavers_in_five_commands(empty: Kube, postgres: str, tmp_path: Path) -> None:
    """And what the page says besides: a user, the manifests in the chart's place, the way out."""
    kube = empty
    with database(postgres) as url, Relay(url) as place:
        port, filled_in = str(free_port()), f"{place}/{make_url(url).database}"
        five = [
            line.replace(DATABASE, filled_in).replace(PORT, port)
            for line in commands("From nothing to weavers in five commands")
        ]
        shell = Shell(kube, tmp_path, TOKEN="token-of-the-reader")
        assert len(five) == 5
        for command in five[:3]:
            shell.run(command)
        with shell.on_screen(five[3], five[4]) as screen:
            work_in_python(screen)
        assert "user_" in shell.run(bullet("Users and keys"))
        shell.run(bullet("To go"))
        assert len(kube.get("pods", "--namespace", "loom-weavers")["items"]) == 1, "weavers go on"
        shell.run(bullet("Without Helm"))
        shell.run("kubectl -n loom-weaver rollout status deploy/loom-weaver")


@pytest.mark.skipif(not shutil.which("curl"), reason="the page's commands need curl")
def test_try_it_from_your_own_machine(empty: Kube, tmp_path: Path) -> None:
    install, *rest = (line.replace(OWN_PORT, "PORT") for line in commands("Try it from your own machine"))
    assert install.startswith("pip install ")
    port = str(free_port())
    with Shell(empty, tmp_path).on_screen(*(line.replace("PORT", port) for line in rest)) as screen:
        work_in_python(screen)
