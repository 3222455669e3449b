"""`loom-weaver` as a person at a shell has it."""

from __future__ import annotations

import os
import subprocess
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.cli.screens import PROGRAM, Screen, on_screen
from tests.server.running import PATIENCE, wait_for


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str
    raw: bytes = field(repr=False)
    """What `out` is the text of."""


@dataclass
class CommandLine:
    """In a home folder of its own."""

    url: str
    key: str = field(repr=False)
    home: Path

    def environment(self, **more: str) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("JUPYTER", "JPY", "LOOM", "XDG", "NO_COLOR"))
        }
        own = {
            "HOME": str(self.home),
            "LOOM_WEAVER_URL": self.url,
            "LOOM_WEAVER_API_KEY": self.key,
            "TERM": "xterm-256color",
            "LOOM_WEAVER_DEBUG": "",
        }
        return {**inherited, **own, **more}

    def run(self, *arguments: str, stdin: bytes = b"", **environment: str) -> Ended:
        """To its end, with pipes."""
        ended = subprocess.run(
            [*PROGRAM, *arguments],
            input=stdin,
            capture_output=True,
            env=self.environment(**environment),
            cwd=self.home,
            timeout=2 * PATIENCE,
            check=False,
        )
        out, err = ended.stdout.decode(errors="replace"), ended.stderr.decode(errors="replace")
        assert "Traceback" not in err, err
        return Ended(ended.returncode, out, err, ended.stdout)

    def ok(self, *arguments: str, stdin: bytes = b"", **environment: str) -> str:
        ended = self.run(*arguments, stdin=stdin, **environment)
        assert ended.code == 0, ended.err
        return ended.out

    def refused(self, code: int, *arguments: str, stdin: bytes = b"", **environment: str) -> str:
        """The one line that it says."""
        ended = self.run(*arguments, stdin=stdin, **environment)
        assert (ended.code, ended.out) == (code, ""), ended
        (line,) = ended.err.splitlines()
        assert line.startswith("loom-weaver: ")
        return line

    def started(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """In the background, with pipes; ended by who asked for it."""
        return subprocess.Popen(
            [*PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(**environment),
            cwd=self.home,
        )

    def on_screen(self, *arguments: str, **environment: str) -> AbstractContextManager[Screen]:
        return on_screen([*PROGRAM, *arguments], self.environment(**environment))

    def new(self, script: str, *options: str) -> str:
        """The id of a new weaver that runs `script` in sh, once it runs."""
        weaver = self.ok("new", "--detach", "--image", "shell", *options, "--", "sh", "-c", script).strip()
        wait_for(lambda: self.get(weaver)["status"] != "pending", "the weaver to start")
        return weaver

    def get(self, weaver: str) -> dict[str, Any]:
        """As the API has it."""
        return self._call("GET", f"/api/weaver/{weaver}").json()

    def all(self) -> list[dict[str, Any]]:
        return self._call("GET", "/api/weavers?owner=me").json()["weavers"]

    def until_ended(self, weaver: str) -> dict[str, Any]:
        wait_for(lambda: self.get(weaver)["finished_at"], "the weaver to end")
        return self.get(weaver)

    def delete_all(self) -> None:
        for weaver in self.all():
            self._call("DELETE", f"/api/weaver/{weaver['id']}")

    def _call(self, method: str, path: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.request(method, self.url + path, headers=headers, timeout=PATIENCE)
