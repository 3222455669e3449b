"""A weaver's terminal as a WebSocket."""

from __future__ import annotations

from jupyter_server.auth.decorator import allow_unauthenticated

from loom_weaver.errors import BadRequest
from loom_weaver.runtimes.base import ReplayStart
from loom_weaver.terminal_protocol import SUBPROTOCOL
from loom_weaver_server.handlers.upgrade import MakeListener, WebSocketHandler
from loom_weaver_server.operations import Argument, Operation, operation
from loom_weaver_server.query import LARGEST_INTEGER, Query
from loom_weaver_server.terminal_session import TerminalRequest, TerminalSession

ARGUMENTS = (
    Argument("scrollback", {"type": "boolean", "default": True}, "Whether to begin with the kept output"),
    Argument(
        "since",
        {"type": "string", "pattern": "^[^:]+:[0-9]+$"},
        "EPOCH:OFFSET, where a client that heard both in `ready` goes on",
    ),
)


class AttachHandler(WebSocketHandler):
    @operation(Operation("Attach to a terminal: a WebSocket", arguments=ARGUMENTS, answers={101: None}))
    @allow_unauthenticated
    async def get(self, weaver_id: str) -> None:
        await self.upgrade(weaver_id)

    def make_listener(self, weaver_id: str) -> MakeListener:
        self.query.expect([argument.name for argument in ARGUMENTS])
        request = TerminalRequest(weaver_id, replay_start(self.query), self.offers(SUBPROTOCOL))
        return lambda websocket: TerminalSession(self.house, websocket, request)

    def select_subprotocol(self) -> str | None:
        return SUBPROTOCOL if self.offers(SUBPROTOCOL) else None


def replay_start(query: Query) -> ReplayStart:
    """Where the viewer begins; raises BadRequest."""
    scrollback = query.boolean("scrollback", True)
    since = query.text("since")
    if since is None:
        return ReplayStart(scrollback)
    epoch, _, offset = since.rpartition(":")
    if not epoch or not (offset.isascii() and offset.isdigit()) or int(offset[:17]) > LARGEST_INTEGER:
        raise BadRequest("must be EPOCH:OFFSET as `ready` told them", field="since")
    return ReplayStart(scrollback, epoch, int(offset))
