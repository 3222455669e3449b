"""`cp` with docker's rules for where a copy lands."""

from __future__ import annotations

import posixpath
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loom_weaver.cli.executing import execute
from loom_weaver.cli.streaming import started
from loom_weaver.errors import BadRequest, NotFound

if TYPE_CHECKING:
    from loom_weaver.client.async_client import AsyncClient

# In a place's stead: a tar archive, through standard input or output.
STREAM = "-"
# Of the weaver's path $1: what is there.
LOOK = 'if [ -d "$1" ]; then echo folder; elif [ -e "$1" ]; then echo file; else echo nothing; fi'


@dataclass(frozen=True, slots=True)
class Place:
    """A path, in a weaver where one is named."""

    weaver: str | None
    path: str

    @property
    def is_contents(self) -> bool:
        """`SRC/.` is what is in the folder, without the folder."""
        return self.path.endswith("/.") or self.path == "."

    @property
    def must_be_folder(self) -> bool:
        return self.path.endswith("/") or self.is_contents


def parse_place(text: str) -> Place:
    """`WEAVER:PATH`, or a path of this machine; one that holds a colon is written `./a:b`."""
    weaver, separator, path = text.partition(":")
    if not separator or not weaver or "/" in weaver or weaver.startswith("."):
        return Place(None, text)
    return Place(weaver, path or ".")


async def copy_out(client: AsyncClient, weaver_id: str, source: Place, goal: Place) -> None:
    """From the weaver to this machine."""
    await started(client, weaver_id)
    kind = await _kind(client, weaver_id, source.path)
    if kind == "nothing":
        raise NotFound(f"there is no {source.path} in {weaver_id}")
    await client.download(weaver_id, source.path, _landing_here(source, goal, is_folder=kind == "folder"))


async def copy_in(client: AsyncClient, weaver_id: str, source: Place, goal: Place) -> None:
    """From this machine to the weaver."""
    origin = Path(source.path)
    is_folder = _is_folder(origin)
    await started(client, weaver_id)
    kind = await _kind(client, weaver_id, goal.path)
    if is_folder and kind == "file":
        raise BadRequest(f"{goal.path} is a file; a folder cannot become one")
    if not is_folder and kind != "folder" and goal.must_be_folder:
        raise NotFound(f"there is no folder {goal.path} in {weaver_id}")
    into_it = kind == "folder" and not (is_folder and source.is_contents)
    remote = posixpath.join(goal.path, _name(source.path)) if into_it else goal.path
    await client.upload(weaver_id, origin, remote)


async def archive_out(client: AsyncClient, weaver_id: str, source: Place) -> int:
    """Write a tar archive of it to standard output, as `docker cp WEAVER:PATH -`; tar's exit code."""
    if sys.stdout.isatty():
        raise BadRequest("an archive is nothing for a terminal; redirect it", field="TARGET")
    await started(client, weaver_id)
    if await _kind(client, weaver_id, source.path) == "nothing":
        raise NotFound(f"there is no {source.path} in {weaver_id}")
    path = posixpath.normpath(source.path)
    whole = source.is_contents or posixpath.basename(path) in ("", "..")
    folder, name = (path, ".") if whole else posixpath.split(path)
    command = ["tar", "-cf", STREAM, "-C", folder or ".", "--", name]
    return await execute(client, weaver_id, command, interactive=False, tty=False)


async def archive_in(client: AsyncClient, weaver_id: str, goal: Place) -> int:
    """Unpack the tar archive of standard input, as `docker cp - WEAVER:PATH`; tar's exit code."""
    await started(client, weaver_id)
    if await _kind(client, weaver_id, goal.path) != "folder":
        raise NotFound(f"there is no folder {goal.path} in {weaver_id}")
    command = ["tar", "-xof", STREAM, "-C", goal.path]
    return await execute(client, weaver_id, command, interactive=True, tty=False)


def _landing_here(source: Place, goal: Place, *, is_folder: bool) -> Path:
    target = Path(goal.path)
    if not is_folder and source.must_be_folder:
        raise BadRequest(f"{source.path} is a file, not a folder")
    if is_folder and target.exists() and not target.is_dir():
        raise BadRequest(f"{target} is a file; a folder cannot become one")
    if not is_folder and goal.must_be_folder and not target.is_dir():
        raise NotFound(f"there is no folder {target}")
    into_it = target.is_dir() and not (is_folder and source.is_contents)
    return target / _name(source.path) if into_it else target


def _is_folder(path: Path) -> bool:
    if not path.exists():
        raise NotFound(f"there is no {path}")
    return path.is_dir()


async def _kind(client: AsyncClient, weaver_id: str, path: str) -> str:
    found = await client.exec(weaver_id, ["sh", "-c", LOOK, "sh", path], check=True)
    return found.stdout.strip()


def _name(path: str) -> str:
    """Of a file or folder; that of `.` and `..` is where they lead, on this machine."""
    name = posixpath.basename(posixpath.normpath(path))
    return Path(path).resolve().name if name in (".", "..") else name
