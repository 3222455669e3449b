"""Commands in a weaver: one answer at the end, events as they come, or a WebSocket."""

from __future__ import annotations

import base64
import binascii
import json

from loom_weaver.commands import STDOUT, Capture, run_to_end
from loom_weaver.errors import BadRequest
from loom_weaver.models import ExecRequest, ExecResult
from loom_weaver.runtimes.base import ExecProcess, ExecSpec
from loom_weaver_server.caller import while_connected
from loom_weaver_server.exec_session import ExecSession
from loom_weaver_server.handlers.upgrade import MakeListener, Upgrading
from loom_weaver_server.operations import Operation, operation
from loom_weaver_server.sse import EventStreamHandler, encode_event

EVENT_STREAM = "text/event-stream"


class ExecHandler(Upgrading, EventStreamHandler):
    async def prepare(self) -> None:  # type: ignore[override]
        if self.request.method == "GET":
            self.admit_handshake()
        else:
            await super().prepare()

    @operation(Operation("Run a command: a WebSocket", answers={101: None}))
    async def get(self, weaver_id: str) -> None:
        await self.upgrade(weaver_id)

    def make_listener(self, weaver_id: str) -> MakeListener:
        self.query.expect(())
        return lambda websocket: ExecSession(self.house, websocket, weaver_id)

    @operation(
        Operation(
            "Run a command in a weaver",
            body=ExecRequest,
            answers={200: ExecResult},
            also=(EVENT_STREAM,),
            errors=(409, 502, 504),
        )
    )
    async def post(self, weaver_id: str) -> None:
        self.query.expect(())
        request = await self.json_body(ExecRequest)
        stdin = _stdin(request)
        weaver = self.service.find(self.principal, "exec", weaver_id)
        spec = ExecSpec(tuple(request.command))
        with while_connected(self):
            async with self.service.runtime.exec(weaver.id, spec) as process:
                if EVENT_STREAM in self.request.headers.get("Accept", ""):
                    await self._stream(weaver.id, process, stdin, request.timeout_seconds)
                    return
                capture = Capture()
                exit_code = await run_to_end(process, stdin, request.timeout_seconds, capture.take)
            self.reply(capture.result(exit_code, process.warning))

    async def _stream(self, weaver_id: str, process: ExecProcess, stdin: bytes, timeout: float) -> None:
        async with self.event_stream("exec", weaver_id) as stream:

            async def send(source: int, data: bytes) -> None:
                await stream.send(encode_event(base64.b64encode(data).decode(), event=_event_of(source)))

            exit_code = await run_to_end(process, stdin, timeout, send)
            await stream.send(_exit_event(exit_code, process.warning))


def _event_of(stream: int) -> str:
    return "stdout" if stream == STDOUT else "stderr"


def _exit_event(exit_code: int | None, warning: str | None) -> bytes:
    rest = {"exit_code": exit_code, "timed_out": exit_code is None, "warning": warning}
    return encode_event(json.dumps(rest, ensure_ascii=False), event="exit")


def _stdin(request: ExecRequest) -> bytes:
    if request.stdin_base64 is None:
        return (request.stdin or "").encode()
    if request.stdin is not None:
        raise BadRequest("give stdin or stdin_base64, not both", field="stdin_base64")
    try:
        return base64.b64decode(request.stdin_base64, validate=True)
    except binascii.Error as error:
        raise BadRequest("must be base64 with its padding", field="stdin_base64") from error
