"""What an image means on the local runtime: a program of this machine, and the environment it starts with."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

# IPython asks its terminal where the cursor is, and complains when nobody answers, as when it starts before
# anybody watches. It need not know.
NO_CPR = "__import__('os').environ.update(PROMPT_TOOLKIT_NO_CPR='1')"


class Image(NamedTuple):
    """As a container image has it: `cmd` are the arguments that `entrypoint` gets unless others are given."""

    entrypoint: tuple[str, ...]
    cmd: tuple[str, ...]
    description: str


def built_in() -> dict[str, Image]:
    """The images that are always there. The documented weaver image is a Python REPL here."""
    shell = shutil.which("bash") or "/bin/sh"
    python = Image((sys.executable,), _repl(), "The Python REPL of the server's environment")
    return {
        "python": python,
        "shell": Image((shell,), ("-i",), "An interactive shell"),
        "ghcr.io/loom/weaver": python,
    }


def table(added: Mapping[str, Mapping[str, Any]]) -> dict[str, Image]:
    """The built-in images with those that a user added, each `{entrypoint, cmd, description}`."""
    own = {
        name: Image(tuple(entry["entrypoint"]), tuple(entry.get("cmd", ())), entry.get("description", name))
        for name, entry in added.items()
    }
    return {**built_in(), **own}


def argv(image: Image, command: Sequence[str] | None, args: Sequence[str] | None) -> list[str]:
    """As in a pod: `command` replaces the entrypoint and drops the image's cmd, `args` replace the cmd."""
    if command:
        return [*command, *(args or ())]
    return [*image.entrypoint, *(image.cmd if args is None else args)]


def environment(home: str, tmp: str) -> dict[str, str]:
    """Built from nothing, so that no secret of the server's is in it."""
    return {
        "PATH": os.pathsep.join((os.path.dirname(sys.executable), "/usr/local/bin:/usr/bin:/bin")),
        "HOME": home,
        "USER": "weaver",
        "LOGNAME": "weaver",
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "TMPDIR": tmp,
    }


def _repl() -> tuple[str, ...]:
    if find_spec("IPython") is None:
        return ("-q",)
    return ("-m", "IPython", "--no-banner", "--no-confirm-exit", f"--InteractiveShellApp.exec_lines={NO_CPR}")
