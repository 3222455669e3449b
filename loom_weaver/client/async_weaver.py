"""One weaver in a program's hands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from loom_weaver.client.attachment import AsyncAttachment
from loom_weaver.client.exec_stream import AsyncExecStream
from loom_weaver.client.fields import Command, Path, WeaverFields
from loom_weaver.client.logs import AsyncLogs
from loom_weaver.client.retrying import completed
from loom_weaver.client.watch import Until
from loom_weaver.errors import Conflict, LoomError, NotFound
from loom_weaver.models import ExecResult, WeaverObject

if TYPE_CHECKING:
    from loom_weaver.client.async_client import AsyncClient

Result = TypeVar("Result")


def display_of(weaver: object) -> dict[str, Any]:
    """As IPython asks for it. What draws weavers stands on the client, and is loaded when one is drawn."""
    found: dict[str, Any] = import_module("loom_weaver.widgets").mimebundle(weaver)
    return found


class AsyncWeaver:
    """The methods of a client that concern one weaver.

    From `client.weaver(…)`: entering creates it, leaving ends it. From `client.connect(id)`: it is there
    already, and leaving it changes nothing. What needs it to run waits for that first.
    """

    def __init__(
        self, client: AsyncClient, asked: tuple[str | None, WeaverFields], state: WeaverObject | None = None
    ) -> None:
        self._client = client
        self._asked = asked
        self._state = state
        self._owned = state is None

    def __repr__(self) -> str:
        return (
            f"<AsyncWeaver {self._state.id} {self._state.status}>"
            if self._state
            else "<AsyncWeaver not created>"
        )

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        return display_of(self)

    @property
    def id(self) -> str:
        return self.state.id

    @property
    def state(self) -> WeaverObject:
        """As it was last heard of; `refresh` asks anew. Raises RuntimeError before it was created."""
        if self._state is None:
            raise RuntimeError("the weaver is created by entering it: `with client.weaver(…) as w:`")
        return self._state

    async def __aenter__(self) -> Self:
        if self._state is None:
            await self._create()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._owned and self._state is not None:
            await completed(self._end())

    async def refresh(self) -> WeaverObject:
        """Ask for its present state."""
        self._state = await self._client.get(self.id)
        return self._state

    async def wait(self, until: Until = "running", *, timeout: float | None = None) -> WeaverObject:
        """As `client.wait`."""
        self._state = await self._client.wait(self.id, until, timeout=timeout)
        return self._state

    def logs(
        self, *, tail: int | None = None, since: datetime | str | None = None, follow: bool = True
    ) -> AsyncLogs:
        """As `client.logs`."""
        return self._client.logs(self.id, tail=tail, since=since, follow=follow)

    def attach(self, *, size: tuple[int, int] | None = None, scrollback: bool = True) -> AsyncAttachment:
        """As `client.attach`."""
        return self._client.attach(self.id, size=size, scrollback=scrollback)

    async def exec(
        self, command: Command, *, stdin: str | bytes = b"", timeout: float = 300.0, check: bool = False
    ) -> ExecResult:
        """As `client.exec`, once it runs."""
        return await self._once_running(
            lambda: self._client.exec(self.id, command, stdin=stdin, timeout=timeout, check=check)
        )

    def exec_stream(
        self, command: Command, *, tty: bool = False, size: tuple[int, int] | None = None
    ) -> AsyncExecStream:
        """As `client.exec_stream`, once it runs."""
        process = self._client.exec_stream(self.id, command, tty=tty, size=size)
        process.before = self._run
        return process

    async def read_file(self, path: str) -> bytes:
        """As `client.read_file`, once it runs."""
        return await self._once_running(lambda: self._client.read_file(self.id, path))

    async def write_file(self, path: str, data: str | bytes) -> None:
        """As `client.write_file`, once it runs."""
        await self._once_running(lambda: self._client.write_file(self.id, path, data))

    async def upload(self, local: Path, remote: str) -> None:
        """As `client.upload`, once it runs."""
        await self._once_running(lambda: self._client.upload(self.id, local, remote))

    async def download(self, remote: str, local: Path) -> None:
        """As `client.download`, once it runs."""
        await self._once_running(lambda: self._client.download(self.id, remote, local))

    async def extend(self, lifetime_hours: int) -> WeaverObject:
        """As `client.extend`."""
        self._state = await self._client.extend(self.id, lifetime_hours)
        return self._state

    async def delete(self) -> None:
        """As `client.delete`."""
        await self._client.delete(self.id)

    async def _run(self) -> None:
        if self.state.status == "pending":
            await self.wait("running")

    async def _once_running(self, call: Callable[[], Awaitable[Result]]) -> Result:
        """A server waits a while for a weaver that starts; where that is not enough, it has done nothing."""
        try:
            return await call()
        except Conflict:
            if self.state.status != "pending":
                raise
        await self._run()
        return await call()

    async def _create(self) -> None:
        image, fields = self._asked
        creating = asyncio.create_task(self._client.create(image, **fields), name="create a weaver")
        try:
            self._state = await asyncio.shield(creating)
        except asyncio.CancelledError:
            # Whether there is one to delete is known when the answer is here.
            await completed(self._undo(creating))
            raise

    async def _undo(self, creating: asyncio.Task[WeaverObject]) -> None:
        with suppress(LoomError):
            self._state = await creating
            await self._client.delete(self.id)

    async def _end(self) -> None:
        """Somebody else may have deleted it."""
        with suppress(NotFound):
            await self._client.delete(self.id)
