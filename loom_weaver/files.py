"""Files of a weaver, read and written by commands inside it: what confines the weaver confines them."""

from __future__ import annotations

import asyncio
import posixpath
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO, Any

from traitlets import Integer
from traitlets.config import LoggingConfigurable

from loom_weaver.commands import STDOUT
from loom_weaver.errors import BadRequest, LoomError, NotFound, PayloadTooLarge, RuntimeFailure
from loom_weaver.runtimes.base import ExecProcess, ExecSpec, Runtime
from loom_weaver.tar_check import check_archive

# Longer than Linux takes no path.
LONGEST_PATH = 4095
PIECE = 256 * 1024
# A command's complaint, as far as an error message needs it.
KEPT_COMPLAINT = 1000
# A script's first line is short: a word and a number.
LONGEST_ANSWER = 100

# Each script gets its arguments as $1, $2, … and first says in one line what it found.
# `tar` ends with 1 where a file changed while it was read, which is no failure.
READ = """
if [ -d "$1" ]; then
  { [ -r "$1" ] && [ -x "$1" ]; } || { echo unreadable; exit; }
  command -v tar >/dev/null || { echo no-tar; exit; }
  kilobytes=$(du -sk "$1" 2>/dev/null | cut -f1)
  echo folder $(( ${kilobytes:-0} * 1024 ))
  tar -cf - -C "$1" . || [ $? -eq 1 ]
  exit
fi
[ -e "$1" ] || { echo missing; exit; }
[ -f "$1" ] || { echo special; exit; }
[ -r "$1" ] || { echo unreadable; exit; }
echo file $(stat -Lc %s "$1" 2>/dev/null || wc -c < "$1")
exec cat "$1"
"""
RECEIVE = """
[ -e "$1" ] || { echo missing; exit; }
[ -d "$1" ] || { echo no-folder; exit; }
[ ! -d "$1/$3" ] || { echo folder; exit; }
{ [ -w "$1" ] && [ -x "$1" ]; } || { echo unwritable; exit; }
echo ready
cat > "$1/$2" || exit
if [ -f "$1/$3" ] && [ ! -L "$1/$3" ]; then
  mode=$(stat -c %a "$1/$3" 2>/dev/null) && chmod "$mode" "$1/$2"
fi
exit 0
"""
RENAME = 'exec mv -fT "$1/$2" "$1/$3"'
REMOVE = 'exec rm -f "$1/$2"'
UNPACK = """
[ -d "$1" ] || [ ! -e "$1" ] || { echo no-folder; exit; }
command -v tar >/dev/null || { echo no-tar; exit; }
{ mkdir -p "$1" 2>/dev/null && [ -w "$1" ] && [ -x "$1" ]; } || { echo unwritable; exit; }
echo ready
exec tar -xof - -C "$1"
"""
MESSAGES = {
    "missing": "There is no {path} in this weaver",
    "special": "{path} is neither a file nor a folder",
    "folder": "{path} is a folder; send an application/x-tar to unpack into it",
    "no-folder": "{path} is no folder",
    "unreadable": "the weaver's user may not read {path}",
    "unwritable": "the weaver's user may not write to {path}",
    "no-tar": "this weaver's image has no tar, which folders need; copy single files, or use another image",
}
NO_SHELL = "this weaver's image has no sh, which files need; use another image"


@dataclass(frozen=True, slots=True)
class Content:
    """A file's bytes, or a folder as a tar archive, whose size nobody knows before."""

    is_folder: bool
    size: int | None
    pieces: AsyncIterator[bytes]


class Files(LoggingConfigurable):
    max_bytes = Integer(
        1024**3,
        min=1,
        config=True,
        help="Most bytes of a file, or of a folder as a tar archive, that is read or written in one call.",
    )

    def __init__(self, runtime: Runtime, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._runtime = runtime

    def resolve(self, weaver_id: str, path: str) -> str:
        """The absolute path that is meant; raises BadRequest for one that is out of bounds."""
        if not path:
            raise BadRequest("is required; give a path such as notes.txt or /tmp/data", field="path")
        if "\0" in path or len(path.encode()) > LONGEST_PATH:
            raise BadRequest(f"must hold no NUL and have at most {LONGEST_PATH} bytes", field="path")
        whole = posixpath.normpath(posixpath.join(self._runtime.home(weaver_id), path))
        whole = "/" + whole.lstrip("/")
        roots = self._runtime.file_roots(weaver_id)
        if roots is not None and not any(_is_below(whole, root) for root in roots):
            raise BadRequest(f"must lie below one of {', '.join(sorted(set(roots)))}", field="path")
        return whole

    @asynccontextmanager
    async def read(self, weaver_id: str, path: str) -> AsyncIterator[Content]:
        async with self._script(weaver_id, READ, path) as script:
            kind, _, size = (await script.answer()).partition(" ")
            _require(kind, {"file", "folder"}, path)
            known = int(size) if size.isdigit() else 0
            if known > self.max_bytes:
                raise self._too_large()
            # Files of /proc and the like have a size of 0, and content.
            exact = known if kind == "file" and known else None
            yield Content(kind == "folder", exact, self._bounded(script, exact))

    async def write_file(self, weaver_id: str, path: str, body: IO[bytes]) -> None:
        """By rename: a reader sees the old content or the new, and a failure leaves the old."""
        folder, name = posixpath.split(path)
        if not name:
            raise BadRequest(MESSAGES["folder"].format(path=path), field="path")
        place = (folder, f".{secrets.token_hex(8)}.upload", name)
        try:
            async with self._script(weaver_id, RECEIVE, *place) as script:
                answer = await script.answer()
                _require(answer, {"ready"}, path if answer == "folder" else folder)
                await script.feed(body)
            async with self._script(weaver_id, RENAME, *place) as script:
                await script.finish()
        except BaseException:
            await asyncio.shield(self._remove(weaver_id, place))
            raise

    async def unpack(self, weaver_id: str, path: str, archive: IO[bytes]) -> None:
        """Into the folder, which is made where it is missing; nothing of an archive that leads outside."""
        await asyncio.to_thread(check_archive, archive, self.max_bytes)
        archive.seek(0)
        async with self._script(weaver_id, UNPACK, path) as script:
            _require(await script.answer(), {"ready"}, path)
            await script.feed(archive)

    async def _remove(self, weaver_id: str, place: tuple[str, ...]) -> None:
        try:
            async with self._script(weaver_id, REMOVE, *place) as script:
                await script.finish()
        except LoomError as error:
            # What failed before is told; this is only a leftover, perhaps of a weaver that is gone.
            self.log.info("%s: a part of an upload was not removed: %s", weaver_id, error)

    async def _bounded(self, script: Script, exact: int | None) -> AsyncIterator[bytes]:
        """`exact` bytes where so many were promised, also of a file that grows meanwhile."""
        left = self.max_bytes if exact is None else exact
        async for data in script.output():
            if exact is not None and len(data) >= left:
                yield data[:left]
                return
            left -= len(data)
            if left < 0:
                raise self._too_large()
            yield data
        await script.finish()

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"This is larger than {self.max_bytes} bytes; copy it in parts")

    @asynccontextmanager
    async def _script(self, weaver_id: str, text: str, *arguments: str) -> AsyncIterator[Script]:
        started = False
        try:
            spec = ExecSpec(("sh", "-c", text, "sh", *arguments))
            async with self._runtime.exec(weaver_id, spec) as process:
                started = True
                yield Script(process)
        except BadRequest as error:
            if started:
                raise
            raise BadRequest(NO_SHELL, field="path") from error


class Script:
    """A running script: its one-line answer, then bytes, then whether it did it."""

    def __init__(self, process: ExecProcess) -> None:
        self._process = process
        self._output = process.output()
        self._rest = b""
        self._complaint = b""

    async def answer(self) -> str:
        """The first line; what there is of it where the script ends before."""
        head = b""
        async for data in self.output():
            head += data
            line, end, self._rest = head.partition(b"\n")
            if end or len(head) > LONGEST_ANSWER:
                return line.decode(errors="replace")
        return head.decode(errors="replace")

    async def output(self) -> AsyncIterator[bytes]:
        """What follows the answer."""
        if self._rest:
            rest, self._rest = self._rest, b""
            yield rest
        async for stream, data in self._output:
            if stream == STDOUT:
                yield data
            else:
                self._complaint = (self._complaint + data)[-KEPT_COMPLAINT:]

    async def feed(self, body: IO[bytes]) -> None:
        """Hand it all of `body` and wait for its success."""
        feeding = asyncio.create_task(self._feed(body))
        try:
            await self.finish()
        finally:
            feeding.cancel()
            await asyncio.wait([feeding])

    async def finish(self) -> None:
        """Raise RuntimeFailure, with its own words, where it failed."""
        async for _ in self.output():
            continue
        if await self._process.wait() != 0:
            words = self._complaint.decode(errors="replace").strip().splitlines()
            raise RuntimeFailure(
                f"the weaver could not do it: {words[-1] if words else 'it did not say why'}"
            )

    async def _feed(self, body: IO[bytes]) -> None:
        while data := await asyncio.to_thread(body.read, PIECE):
            await self._process.write(data)
        await self._process.close_stdin()


def _is_below(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip("/") + "/")


def _require(answer: str, wanted: set[str], path: str) -> None:
    if answer in wanted:
        return
    if answer not in MESSAGES:
        raise RuntimeFailure("the weaver's shell gave no answer; try again")
    message = MESSAGES[answer].format(path=path)
    raise NotFound(message) if answer == "missing" else BadRequest(message, field="path")
