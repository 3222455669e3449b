"""The client: one method for each call of the API."""

from __future__ import annotations

import asyncio
import base64
import pathlib
import secrets
from collections.abc import AsyncGenerator, Iterable
from datetime import datetime
from types import TracebackType
from typing import Any, Self, Unpack

from loom_weaver.client import files
from loom_weaver.client.answers import answer
from loom_weaver.client.async_weaver import AsyncWeaver
from loom_weaver.client.attachment import AsyncAttachment, TerminalView
from loom_weaver.client.batch import Batch
from loom_weaver.client.discovery import find_server
from loom_weaver.client.errors import CommandFailed, ConnectionFailed, WaitTimeout
from loom_weaver.client.events import AsyncEvents
from loom_weaver.client.exec_stream import AsyncExecStream, CommandLine
from loom_weaver.client.fields import (
    DEFAULT_TIMEOUTS,
    Command,
    ListFields,
    Path,
    Timeouts,
    WeaverFields,
    Weavers,
    checked_command,
    creation_body,
)
from loom_weaver.client.items import MapResult
from loom_weaver.client.listing import listed
from loom_weaver.client.logs import AsyncLogs, LogRange
from loom_weaver.client.retrying import retrying
from loom_weaver.client.transport import Transport, weaver_path
from loom_weaver.client.watch import Until, Watch
from loom_weaver.errors import LoomError, NotFound
from loom_weaver.models import CleanupReport, ExecResult, Me, WeaverObject


class AsyncClient:
    """Weavers for a program.

    Without arguments it takes, in this order, `LOOM_WEAVER_URL` and `LOOM_WEAVER_API_KEY`, the Jupyter server
    that started this kernel, what `loom-weaver login` stored, or the one Jupyter server of yours that runs on
    this machine. `key` is an API key (`loom_sk_…`) or the token of a Jupyter server; only a key that belongs
    to `url` is ever sent there. Raises NoServer where nothing is found.

    Every method raises the errors of `loom_weaver.client.errors`. One client serves any number of tasks of
    one event loop; `async with` closes it.
    """

    def __init__(
        self, url: str | None = None, key: str | None = None, *, timeouts: Timeouts = DEFAULT_TIMEOUTS
    ) -> None:
        self._transport = Transport(find_server(url, key), timeouts)
        self._watch = Watch(self.events, self.get)
        self._defaults: Me | None = None

    def __repr__(self) -> str:
        state = "closed" if self._transport.is_closed else "open"
        return f"<AsyncClient {self.url} {state}, by {self._transport.server.found_by}>"

    @property
    def url(self) -> str:
        """Base URL of the server, without a slash at its end."""
        return self._transport.server.url

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every stream and connection; weavers go on."""
        await self._watch.aclose()
        await self._transport.aclose()

    async def me(self) -> Me:
        """Who the server takes the caller for, and what can be created there."""
        response = await self._transport.call("GET", "/api/weavers/me")
        return answer(Me, response)

    async def create(self, image: str | None = None, **fields: Unpack[WeaverFields]) -> WeaverObject:
        """A new weaver, still `pending`; `image` is by default what the server offers first.

        Repeated over a broken link it creates one weaver all the same.
        """
        key = fields.get("idempotency_key") or secrets.token_urlsafe(16)
        response = await self._transport.call(
            "POST",
            "/api/weaver",
            json=await self._completed_fields(image, fields),
            headers={"Idempotency-Key": key},
            again=True,
        )
        return answer(WeaverObject, response)

    def weaver(self, image: str | None = None, **fields: Unpack[WeaverFields]) -> AsyncWeaver:
        """`async with client.weaver(image=…) as w:` creates a weaver, and ends it on leaving."""
        return AsyncWeaver(self, (image, fields))

    async def connect(self, weaver_id: str) -> AsyncWeaver:
        """A weaver that is there already, with the same methods; leaving it does not end it."""
        return AsyncWeaver(self, (None, {}), await self.get(weaver_id))

    def map(
        self,
        image: str | None,
        commands: Iterable[Command],
        *,
        parallel: int = 20,
        **fields: Unpack[WeaverFields],
    ) -> AsyncGenerator[MapResult, None]:
        """Run each command in a weaver of its own, `parallel` at a time; yields results as they end.

        One result for each command, also for one that could not be run. Its weavers are gone when it ends,
        also when it is closed or cancelled half-way.
        """
        if "command" in fields or "idempotency_key" in fields:
            raise TypeError("map takes no `command` and no `idempotency_key`: it makes one for each weaver")

        def weaver(command: Command) -> AsyncWeaver:
            own: WeaverFields = {**fields, "command": command}
            return self.weaver(image, **own)

        return Batch(weaver, commands, parallel).results()

    async def list(self, **fields: Unpack[ListFields]) -> Weavers:
        """The weavers that the caller may see, newest first; `ListFields` has what narrows them."""
        return await listed(self._transport, fields)

    async def get(self, weaver_id: str) -> WeaverObject:
        """Its present state. Raises NotFound where there is none."""
        return answer(WeaverObject, await self._transport.call("GET", weaver_path(weaver_id)))

    async def delete(self, weaver_id: str) -> None:
        """End a weaver and drop its log and files. Raises NotFound where there is none."""
        lost = False

        async def once() -> None:
            nonlocal lost
            try:
                await self._transport.attempt("DELETE", weaver_path(weaver_id))
            except ConnectionFailed as error:
                lost = lost or error.sent
                raise
            except NotFound:
                # The answer that was lost on the way told that it is done.
                if not lost:
                    raise

        await retrying(once, self._transport.timeouts.retry)

    async def extend(self, weaver_id: str, lifetime_hours: int) -> WeaverObject:
        """Set its lifetime to so many hours (1 to 48) from its creation: longer or shorter."""
        response = await self._transport.call(
            "PATCH", weaver_path(weaver_id), json={"lifetime_hours": lifetime_hours}
        )
        return answer(WeaverObject, response)

    async def wait(
        self, weaver_id: str, until: Until = "running", *, timeout: float | None = None
    ) -> WeaverObject:
        """The weaver once it runs, or has ended; follows events, so it returns within moments of that.

        `running` raises WeaverEnded for one that ended first. `ended` also returns one that was deleted, as
        `terminating`. Raises WaitTimeout after `timeout` seconds.
        """
        try:
            async with asyncio.timeout(timeout):
                return await self._watch.wait(weaver_id, until)
        except TimeoutError as error:
            if isinstance(error, LoomError):
                raise
            raise WaitTimeout(f"{weaver_id} was not {until} after {timeout} s") from error

    def logs(
        self,
        weaver_id: str,
        *,
        tail: int | None = None,
        since: datetime | str | None = None,
        follow: bool = True,
        after: str | None = None,
    ) -> AsyncLogs:
        """Its output, line by line: an async iterator of LogLine and LogGap, that ends when the weaver does.

        All that is kept by default, else from the time `since` on, or the last `tail` lines (0: only new
        ones); `after` is the id of an item to go on behind. `follow=False` ends after the lines that are
        there. A link that breaks is made anew, with no line lost and none twice. Its `end` is a LogEnd once
        the weaver has ended.
        """
        return AsyncLogs(self._transport, weaver_id, LogRange(tail, since, follow, after))

    def attach(
        self,
        weaver_id: str,
        *,
        size: tuple[int, int] | None = None,
        scrollback: bool = True,
        since: str | None = None,
    ) -> AsyncAttachment:
        """Its terminal: `async with client.attach(id, size=(80, 24)) as terminal:`; size is columns and rows.

        `since` is the `position` of an earlier attachment, to go on at that very byte.
        """
        return AsyncAttachment(self._transport, weaver_id, TerminalView(size, scrollback, since))

    async def exec(
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
        asked: dict[str, Any] = {"command": checked_command(command), "timeout_seconds": timeout}
        if stdin:
            raw = stdin.encode() if isinstance(stdin, str) else stdin
            asked["stdin_base64"] = base64.b64encode(raw).decode()
        response = await self._transport.call(
            "POST",
            weaver_path(weaver_id, "/exec"),
            json=asked,
            timeout=timeout + self._transport.timeouts.call,
        )
        result = answer(ExecResult, response)
        if check and result.exit_code != 0:
            raise CommandFailed(command, result)
        return result

    def exec_stream(
        self,
        weaver_id: str,
        command: Command,
        *,
        tty: bool = False,
        size: tuple[int, int] | None = None,
    ) -> AsyncExecStream:
        """A command with its streams: `async with client.exec_stream(id, ["sort"]) as process:`."""
        return AsyncExecStream(self._transport, weaver_id, CommandLine(command, tty, size))

    async def read_file(self, weaver_id: str, path: str) -> bytes:
        """What a file holds. Raises NotFound where there is none, BadRequest for a folder."""
        return await files.read_file(self._transport, weaver_id, path)

    async def write_file(self, weaver_id: str, path: str, data: str | bytes) -> None:
        """The file has either its old content or all of the new one; text is written as UTF-8."""
        raw = data.encode() if isinstance(data, str) else data
        await files.write_file(self._transport, weaver_id, path, raw)

    async def upload(self, weaver_id: str, local: Path, remote: str) -> None:
        """Copy a file to the file `remote`, or what a folder holds into the folder `remote`."""
        await files.upload(self._transport, weaver_id, pathlib.Path(local), remote)

    async def download(self, weaver_id: str, remote: str, local: Path) -> None:
        """Copy a file to the file `local`, or what a folder holds into the folder `local`.

        Nothing of a folder's archive may lead outside of `local`: BadRequest that names the entry.
        """
        await files.download(self._transport, weaver_id, remote, pathlib.Path(local))

    def events(self, *, after: str | None = None) -> AsyncEvents:
        """What becomes of all weavers that the caller may see: an async iterator of WeaverEvent, without end.

        First `added` for each present one, then `ready`, then every change. Resumes by itself; where the
        server cannot, `reset` tells it and the list follows.
        """
        return AsyncEvents(self._transport, after=after)

    async def cleanup(self, *, dry_run: bool = False) -> CleanupReport:
        """Delete the weavers whose lifetime is over, now; for system admins."""
        response = await self._transport.call(
            "POST", "/api/weavers/cleanup", params=[("dry_run", "true" if dry_run else "false")]
        )
        return answer(CleanupReport, response)

    async def _completed_fields(self, image: str | None, fields: WeaverFields) -> dict[str, Any]:
        """With what the server takes where nothing is given."""
        org_id = fields.get("org_id")
        if image is None or org_id is None:
            me = self._defaults = self._defaults or await self.me()
            org_id = org_id or me.default_org_id
            image = image or me.runtime.get("default_image")
        return creation_body(image, org_id, fields)
