"""The client without `await`. Written by scripts/blocking.py from the asynchronous classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Unpack

from loom_weaver.client.async_client import AsyncClient
from loom_weaver.client.attachment import AsyncAttachment
from loom_weaver.client.events import AsyncEvents
from loom_weaver.client.exec_stream import AsyncExecStream
from loom_weaver.client.face import ClientFace, StreamFace, WeaverFace
from loom_weaver.client.fields import (
    DEFAULT_TIMEOUTS,
    Command,
    ListFields,
    Path,
    Timeouts,
    WeaverFields,
    Weavers,
)
from loom_weaver.client.items import (
    Chunk,
    Exit,
    LogEnd,
    LogItem,
    MapResult,
    TerminalItem,
    WeaverEvent,
)
from loom_weaver.client.logs import AsyncLogs
from loom_weaver.client.watch import Until
from loom_weaver.models import CleanupReport, ExecResult, Me, WeaverObject


class Logs(StreamFace[AsyncLogs, LogItem]):
    """An iterator of LogLine and LogGap that ends with the weaver; `with` closes it early."""

    @property
    def end(self) -> LogEnd | None:
        """How the weaver ended; None while its log goes on."""
        return self._it.end


class Events(StreamFace[AsyncEvents, WeaverEvent]):
    """An iterator of WeaverEvent, without end; `with` closes it."""


class Attachment(StreamFace[AsyncAttachment, TerminalItem]):
    """An iterator of Output, Attached, Detached, Presence, OutputGap and LifetimeWarning.

    Entering it attaches: from then on `send` works. It is iterating that takes what comes and that makes a
    broken link anew: Detached tells of one, Attached of the next. It ends when the weaver does; then `exit`
    is set. Of a weaver that had ended before the kept scrollback comes, then the end.
    """

    @property
    def connected(self) -> bool:
        """Whether `send` works now."""
        return self._it.connected

    @property
    def position(self) -> str | None:
        """`EPOCH:OFFSET` of the next byte: `attach(since=…)` goes on there."""
        return self._it.position

    @property
    def access(self) -> str | None:
        """`full`, or `read_only`: what is sent is dropped; None before it was attached."""
        return self._it.access

    @property
    def exit(self) -> Exit | None:
        """How the weaver ended, once it has."""
        return self._it.exit

    def send(self, data: str | bytes) -> None:
        """Type. Raises ConnectionFailed while the link is down: nothing is queued, nothing typed twice."""
        self._loop.run(self._it.send(data))

    def resize(self, cols: int, rows: int) -> None:
        """Tell this viewer's size, 1 to 1,000; a link that is made anew tells it again."""
        self._loop.run(self._it.resize(cols, rows))


class ExecStream(StreamFace[AsyncExecStream, Chunk]):
    """An iterator of Chunk that ends with the command; then `exit_code` is set.

    Entering starts the command, leaving ends it where it still runs. A link that breaks ends it too, and
    raises ConnectionFailed: a command is never run twice. BadRequest for a command that does not exist comes
    with the first item.
    """

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._it.exit_code

    @property
    def warning(self) -> str | None:
        """What the server has to say about how it was run."""
        return self._it.warning

    def send(self, data: str | bytes) -> None:
        """Its standard input."""
        self._loop.run(self._it.send(data))

    def send_eof(self) -> None:
        """End its standard input."""
        self._loop.run(self._it.send_eof())

    def resize(self, cols: int, rows: int) -> None:
        """Of a command with a tty."""
        self._loop.run(self._it.resize(cols, rows))

    def wait(self) -> int:
        """Its exit code; drops the output that nobody has read."""
        return self._loop.run(self._it.wait())


class Weaver(WeaverFace):
    """The methods of a client that concern one weaver.

    From `client.weaver(…)`: entering creates it, leaving ends it. From `client.connect(id)`: it is there
    already, and leaving it changes nothing. What needs it to run waits for that first.
    """

    @property
    def id(self) -> str:
        return self._it.id

    @property
    def state(self) -> WeaverObject:
        """As it was last heard of; `refresh` asks anew. Raises RuntimeError before it was created."""
        return self._it.state

    def refresh(self) -> WeaverObject:
        """Ask for its present state."""
        return self._loop.run(self._it.refresh())

    def wait(self, until: Until = "running", *, timeout: float | None = None) -> WeaverObject:
        """As `client.wait`."""
        return self._loop.run(self._it.wait(until, timeout=timeout))

    def logs(
        self, *, tail: int | None = None, since: datetime | str | None = None, follow: bool = True
    ) -> Logs:
        """As `client.logs`."""
        return Logs(self._it.logs(tail=tail, since=since, follow=follow), self._loop)

    def attach(self, *, size: tuple[int, int] | None = None, scrollback: bool = True) -> Attachment:
        """As `client.attach`."""
        return Attachment(self._it.attach(size=size, scrollback=scrollback), self._loop)

    def exec(
        self, command: Command, *, stdin: str | bytes = b"", timeout: float = 300.0, check: bool = False
    ) -> ExecResult:
        """As `client.exec`, once it runs."""
        return self._loop.run(self._it.exec(command, stdin=stdin, timeout=timeout, check=check))

    def exec_stream(
        self, command: Command, *, tty: bool = False, size: tuple[int, int] | None = None
    ) -> ExecStream:
        """As `client.exec_stream`, once it runs."""
        return ExecStream(self._it.exec_stream(command, tty=tty, size=size), self._loop)

    def read_file(self, path: str) -> bytes:
        """As `client.read_file`, once it runs."""
        return self._loop.run(self._it.read_file(path))

    def write_file(self, path: str, data: str | bytes) -> None:
        """As `client.write_file`, once it runs."""
        self._loop.run(self._it.write_file(path, data))

    def upload(self, local: Path, remote: str) -> None:
        """As `client.upload`, once it runs."""
        self._loop.run(self._it.upload(local, remote))

    def download(self, remote: str, local: Path) -> None:
        """As `client.download`, once it runs."""
        self._loop.run(self._it.download(remote, local))

    def extend(self, lifetime_hours: int) -> WeaverObject:
        """As `client.extend`."""
        return self._loop.run(self._it.extend(lifetime_hours))

    def delete(self) -> None:
        """As `client.delete`."""
        self._loop.run(self._it.delete())


class Client(ClientFace):
    """Weavers for a program.

    Without arguments it takes, in this order, `LOOM_WEAVER_URL` and `LOOM_WEAVER_API_KEY`, the Jupyter server
    that started this kernel, what `loom-weaver login` stored, or the one Jupyter server of yours that runs on
    this machine. `key` is an API key (`loom_sk_…`) or the token of a Jupyter server; only a key that belongs
    to `url` is ever sent there. Raises NoServer where nothing is found.

    Every method raises the errors of `loom_weaver.client.errors`. One client serves any number of tasks of
    one event loop; `with` closes it.
    """

    def __init__(
        self, url: str | None = None, key: str | None = None, *, timeouts: Timeouts = DEFAULT_TIMEOUTS
    ) -> None:
        super().__init__(AsyncClient(url, key, timeouts=timeouts))

    @property
    def url(self) -> str:
        """Base URL of the server, without a slash at its end."""
        return self._it.url

    def me(self) -> Me:
        """Who the server takes the caller for, and what can be created there."""
        return self._loop.run(self._it.me())

    def create(self, image: str | None = None, **fields: Unpack[WeaverFields]) -> WeaverObject:
        """A new weaver, still `pending`; `image` is by default what the server offers first.

        Repeated over a broken link it creates one weaver all the same.
        """
        return self._loop.run(self._it.create(image, **fields))

    def weaver(self, image: str | None = None, **fields: Unpack[WeaverFields]) -> Weaver:
        """`with client.weaver(image=…) as w:` creates a weaver, and ends it on leaving."""
        return Weaver(self._it.weaver(image, **fields), self._loop)

    def connect(self, weaver_id: str) -> Weaver:
        """A weaver that is there already, with the same methods; leaving it does not end it."""
        return Weaver(self._loop.run(self._it.connect(weaver_id)), self._loop)

    def map(
        self,
        image: str | None,
        commands: Iterable[Command],
        *,
        parallel: int = 20,
        **fields: Unpack[WeaverFields],
    ) -> Iterator[MapResult]:
        """Run each command in a weaver of its own, `parallel` at a time; yields results as they end.

        One result for each command, also for one that could not be run. Its weavers are gone when it ends,
        also when it is closed or cancelled half-way.
        """
        return self._loop.iterate(self._it.map(image, commands, parallel=parallel, **fields))

    def list(self, **fields: Unpack[ListFields]) -> Weavers:
        """The weavers that the caller may see, newest first; `ListFields` has what narrows them."""
        return self._loop.run(self._it.list(**fields))

    def get(self, weaver_id: str) -> WeaverObject:
        """Its present state. Raises NotFound where there is none."""
        return self._loop.run(self._it.get(weaver_id))

    def delete(self, weaver_id: str) -> None:
        """End a weaver and drop its log and files. Raises NotFound where there is none."""
        self._loop.run(self._it.delete(weaver_id))

    def extend(self, weaver_id: str, lifetime_hours: int) -> WeaverObject:
        """Set its lifetime to so many hours (1 to 48) from its creation: longer or shorter."""
        return self._loop.run(self._it.extend(weaver_id, lifetime_hours))

    def wait(self, weaver_id: str, until: Until = "running", *, timeout: float | None = None) -> WeaverObject:
        """The weaver once it runs, or has ended; follows events, so it returns within moments of that.

        `running` raises WeaverEnded for one that ended first. `ended` also returns one that was deleted, as
        `terminating`. Raises WaitTimeout after `timeout` seconds.
        """
        return self._loop.run(self._it.wait(weaver_id, until, timeout=timeout))

    def logs(
        self,
        weaver_id: str,
        *,
        tail: int | None = None,
        since: datetime | str | None = None,
        follow: bool = True,
        after: str | None = None,
    ) -> Logs:
        """Its output, line by line: an iterator of LogLine and LogGap, that ends when the weaver does.

        All that is kept by default, else from the time `since` on, or the last `tail` lines (0: only new
        ones); `after` is the id of an item to go on behind. `follow=False` ends after the lines that are
        there. A link that breaks is made anew, with no line lost and none twice. Its `end` is a LogEnd once
        the weaver has ended.
        """
        return Logs(self._it.logs(weaver_id, tail=tail, since=since, follow=follow, after=after), self._loop)

    def attach(
        self,
        weaver_id: str,
        *,
        size: tuple[int, int] | None = None,
        scrollback: bool = True,
        since: str | None = None,
    ) -> Attachment:
        """Its terminal: `with client.attach(id, size=(80, 24)) as terminal:`; size is columns and rows.

        `since` is the `position` of an earlier attachment, to go on at that very byte.
        """
        return Attachment(
            self._it.attach(weaver_id, size=size, scrollback=scrollback, since=since), self._loop
        )

    def exec(
        self,
        weaver_id: str,
        command: Command,
        *,
        stdin: str | bytes = b"",
        timeout: float = 300.0,
        check: bool = False,
    ) -> ExecResult:
        """Run a command in a running weaver to its end; at most 1 MiB of each stream is returned.

        No shell is added: `["sh", "-c", "…"]`. It is never run twice. With `check`, an exit code other than 0
        and a time that is up raise CommandFailed.
        """
        return self._loop.run(self._it.exec(weaver_id, command, stdin=stdin, timeout=timeout, check=check))

    def exec_stream(
        self, weaver_id: str, command: Command, *, tty: bool = False, size: tuple[int, int] | None = None
    ) -> ExecStream:
        """A command with its streams: `with client.exec_stream(id, ["sort"]) as process:`."""
        return ExecStream(self._it.exec_stream(weaver_id, command, tty=tty, size=size), self._loop)

    def read_file(self, weaver_id: str, path: str) -> bytes:
        """What a file holds. Raises NotFound where there is none, BadRequest for a folder."""
        return self._loop.run(self._it.read_file(weaver_id, path))

    def write_file(self, weaver_id: str, path: str, data: str | bytes) -> None:
        """The file has either its old content or all of the new one; text is written as UTF-8."""
        self._loop.run(self._it.write_file(weaver_id, path, data))

    def upload(self, weaver_id: str, local: Path, remote: str) -> None:
        """Copy a file to the file `remote`, or what a folder holds into the folder `remote`."""
        self._loop.run(self._it.upload(weaver_id, local, remote))

    def download(self, weaver_id: str, remote: str, local: Path) -> None:
        """Copy a file to the file `local`, or what a folder holds into the folder `local`.

        Nothing of a folder's archive may lead outside of `local`: BadRequest that names the entry.
        """
        self._loop.run(self._it.download(weaver_id, remote, local))

    def events(self, *, after: str | None = None) -> Events:
        """What becomes of all weavers that the caller may see: an iterator of WeaverEvent, without end.

        First `added` for each present one, then `ready`, then every change. Resumes by itself; where the
        server cannot, `reset` tells it and the list follows.
        """
        return Events(self._it.events(after=after), self._loop)

    def cleanup(self, *, dry_run: bool = False) -> CleanupReport:
        """Delete the weavers whose lifetime is over, now; for system admins."""
        return self._loop.run(self._it.cleanup(dry_run=dry_run))
