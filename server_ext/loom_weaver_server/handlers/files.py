"""Files and folders of a weaver, down and up."""

from __future__ import annotations

from typing import cast
from urllib.parse import quote

from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError

from loom_weaver.errors import BadRequest, LoomError
from loom_weaver.files import Content
from loom_weaver_server.caller import while_connected
from loom_weaver_server.handlers.base import WeaverAPIHandler
from loom_weaver_server.operations import Argument, Operation, operation
from loom_weaver_server.spool import Spool

TAR = "application/x-tar"
BYTES = "application/octet-stream"
PATH = Argument(
    "path", {"type": "string", "minLength": 1}, "Absolute, or relative to the weaver's working directory"
)
ERRORS = (409, 413, 502, 504)


class FilesHandler(WeaverAPIHandler):
    def initialize(self) -> None:
        super().initialize()
        self._spool: Spool | None = None
        self._failure: LoomError | None = None

    @property
    def body_limit(self) -> int:  # type: ignore[override]
        return self.service.files.max_bytes if self.house.is_open else super().body_limit

    async def _admit(self) -> None:
        """An upload is refused before it is read."""
        await super()._admit()
        if self.request.method == "PUT":
            self._target(self.path_args[0])
            self._spool = Spool()

    @operation(
        Operation(
            "Read a file or folder", arguments=(PATH,), answers={200: BYTES}, also=(TAR,), errors=ERRORS
        )
    )
    async def get(self, weaver_id: str) -> None:
        path = self._target(weaver_id)
        with while_connected(self):
            async with self.service.files.read(weaver_id, path) as content:
                self._describe(path, content)
                await self._send(content)

    @operation(
        Operation(
            "Write a file, or unpack an archive into a folder",
            arguments=(PATH,),
            body_types=(BYTES, TAR),
            answers={204: None},
            errors=ERRORS,
        )
    )
    async def put(self, weaver_id: str) -> None:
        if self._received > self.body_limit:
            raise self._too_large()
        if self._failure is not None:
            raise self._failure
        path = self._target(weaver_id)
        spool = cast(Spool, self._spool)
        with while_connected(self):
            body = await spool.rewind()
            if self._content_type() == TAR:
                await self.service.files.unpack(weaver_id, path, body)
            else:
                await self.service.files.write_file(weaver_id, path, body)
        self.set_status(204)

    async def data_received(self, chunk: bytes) -> None:  # type: ignore[override]
        self._received += len(chunk)
        if self._spool is None or self._failure is not None or self._received > self.body_limit:
            return
        try:
            await self._spool.write(chunk)
        except LoomError as error:
            # Said once the body is read: before that nobody listens.
            self._failure = error

    def on_finish(self) -> None:
        if self._spool is not None:
            self._spool.close()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self.on_finish()

    def _target(self, weaver_id: str) -> str:
        self.query.expect((PATH.name,))
        weaver = self.service.find(self.principal, "files", weaver_id)
        return self.service.files.resolve(weaver.id, self.query.text("path") or "")

    def _content_type(self) -> str:
        return self.request.headers.get("Content-Type", BYTES).partition(";")[0].strip().lower()

    def _describe(self, path: str, content: Content) -> None:
        name = (path.rpartition("/")[2] or "root") + (".tar" if content.is_folder else "")
        self.set_header("Content-Type", TAR if content.is_folder else BYTES)
        self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(name, safe='')}")
        self.set_header("X-Content-Type-Options", "nosniff")
        if content.size is not None:
            self.set_header("Content-Length", content.size)

    async def _send(self, content: Content) -> None:
        """A failure half-way breaks the connection: the part that was sent must not pass for the whole."""
        sent = 0
        try:
            async for data in content.pieces:
                sent += len(data)
                self.write(data)
                await self.flush()
            if content.size is not None and sent < content.size:
                raise BadRequest("the file became shorter while it was read; try again", field="path")
        except StreamClosedError:
            return
        except BaseException:
            if self._headers_written:
                cast(HTTP1Connection, self.request.connection).stream.close()
            raise
