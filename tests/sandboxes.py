"""Sandboxes to try things in, each opened by a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import loom_weaver
from loom_weaver.runtimes.local import host_paths, isolation
from loom_weaver.runtimes.local.sandbox_plan import TMP, home_path

HOLDER = Path(__file__).parent / "sandbox_holder.py"
PATIENCE = 30.0
Step = list[str] | dict[str, Any]


class Sandboxes:
    """Sandboxes of one kind over one home and tmp, for the user of these tests or another one."""

    def __init__(self, kind: str, folder: Path, user: int | None) -> None:
        self.kind = kind
        self.user = user
        self.folder = folder
        self.home, self.tmp = folder / "home", folder / "tmp"
        for path in (self.home, self.tmp):
            path.mkdir(mode=0o700)
            self._give(path)
        self.inside_home = home_path(kind, str(self.home))
        self.inside_tmp = TMP if kind == "bubblewrap" else str(self.tmp)
        self._root, self._holder = _library(folder) if user is not None else (_root(), HOLDER)

    def run(
        self,
        *steps: Step,
        die: bool = False,
        ignore: bool = False,
        later: dict[str, Any] | None = None,
        **plan: Any,
    ) -> list[dict[str, Any]]:
        """What became of each command, run one after the other in one sandbox.

        `ignore`: signals, before; `later`: what the plan says only when the sandbox is there.
        """
        env = {"HOME": self.inside_home, "PATH": "/usr/bin:/bin", **plan.pop("env", {})}
        asked = {
            "kind": self.kind,
            "home": str(self.home),
            "tmp": str(self.tmp),
            "hostname": "loom-weaver-test",
            "readable": host_paths.python_folders() if self.user is None else [],
            "hidden": [str(self.folder)],
            "env": env,
            **plan,
        }
        full = [step if isinstance(step, dict) else {"argv": step} for step in steps]
        done = subprocess.run(
            [
                "/usr/bin/python3" if self.user is not None else sys.executable,
                "-I",
                "-S",
                self._holder,
                self._root,
            ],
            input=json.dumps({"plan": asked, "later": later, "steps": full, "die": die, "ignore": ignore}),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
            user=self.user,
            extra_groups=[] if self.user is not None else None,
            cwd="/",
        )
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def shell(self, script: str) -> str:
        return self.run(["sh", "-c", script])[0]["output"]

    def enforced(self, **options: bool) -> list[str]:
        return isolation.enforced(self.kind, **options)

    @property
    def unprivileged(self) -> bool:
        return self.user is not None or os.geteuid() != 0

    def await_end(self, pid: int) -> None:
        """Return once the process is gone, however fast that was."""
        with contextlib.suppress(ProcessLookupError):
            descriptor = os.pidfd_open(pid)
            ended, _, _ = select.select([descriptor], [], [], PATIENCE)
            os.close(descriptor)
            assert ended, f"{pid} still runs"

    def _give(self, path: Path) -> None:
        if self.user is not None:
            os.chown(path, self.user, -1)


def _root() -> str:
    return str(Path(loom_weaver.__file__).parent.parent)


def _library(folder: Path) -> tuple[str, Path]:
    """A copy that everybody may read, as an installed one is."""
    shutil.copytree(Path(_root()) / "loom_weaver", folder / "library" / "loom_weaver")
    shutil.copy(HOLDER, folder / "library")
    return str(folder / "library"), folder / "library" / HOLDER.name


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter, which pytest's are not."""
    with tempfile.TemporaryDirectory(prefix="loom-weaver-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextlib.contextmanager
def outside_sleeper(user: int | None) -> Iterator[int]:
    with subprocess.Popen(["sleep", "1000"], user=user) as process:
        yield process.pid
        process.kill()


def nobody() -> int | None:
    """The uid of a user who may do nothing, where these tests may act as one."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
