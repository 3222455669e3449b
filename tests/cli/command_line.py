"""`loom-weaver` as a person at a shell has it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
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


class Background:
    """A command that goes on."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def line(self) -> str:
        """The next one, waited for; fails at the end."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode()
        assert line, f"it ended: {self.ended()}"
        return line.removesuffix("\n")

    def stop_reading(self) -> None:
        assert self.process.stdout is not None
        self.process.stdout.close()

    def ended(self) -> Ended:
        """With the rest of what it printed."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        # What was read ahead for `line` is the file's, which `communicate` goes past.
        raw = b"" if self.process.stdout.closed else self.process.stdout.read()
        err = self.process.stderr.read()
        self.process.wait(PATIENCE)
        return Ended(self.process.returncode, raw.decode(errors="replace"), err.decode(errors="replace"), raw)


@dataclass
class CommandLine:
    """In a home folder of its own."""

    url: str
    key: str = field(repr=False)
    home: Path
    in_environment: bool = True
    """Whether the environment tells url and key."""

    def environment(self, **more: str) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("JUPYTER", "JPY", "LOOM", "XDG", "NO_COLOR"))
        }
        own = {
            "HOME": str(self.home),
            "TERM": "xterm-256color",
            "LOOM_WEAVER_DEBUG": "",
        }
        told = {"LOOM_WEAVER_URL": self.url, "LOOM_WEAVER_API_KEY": self.key} if self.in_environment else {}
        return {**inherited, **own, **told, **more}

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

    @contextmanager
    def started(self, *arguments: str, **environment: str) -> Iterator[Background]:
        """With pipes; killed where it does not end by itself."""
        process = subprocess.Popen(
            [*PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(**environment),
            cwd=self.home,
        )
        with process:
            try:
                yield Background(process)
            finally:
                process.kill()

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
