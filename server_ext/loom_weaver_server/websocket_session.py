"""What every WebSocket of the API goes through: a first message that says who is there, checks after that."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Coroutine
from typing import TYPE_CHECKING, Any, ClassVar

from loom_weaver import terminal_protocol as protocol
from loom_weaver.errors import Forbidden, LoomError, NotFound, Unauthorized
from loom_weaver.identity.principal import Principal
from loom_weaver.terminal_protocol import CloseCode
from loom_weaver_server.websocket import LONGEST_MESSAGE, WebSocket

if TYPE_CHECKING:
    from loom_weaver_server.house import House

AUTH_SECONDS = 10.0
NO_AUTH_IN_TIME = "no auth message within 10 seconds"
# What a client may send before the other side is up; more stays in its socket.
KEPT_INPUT = 64 * 1024


class WebSocketSession:
    """Implements `Listener`. A subclass says what begins with the first message and what later ones mean."""

    __slots__ = (
        "_auth_timer",
        "_early",
        "_early_bytes",
        "_room",
        "_task",
        "house",
        "live",
        "principal",
        "websocket",
    )

    first_message: ClassVar[str] = '{"type": "auth", "token": "ws_…"}'
    longest_first_message: ClassVar[int] = 64 * 1024

    def __init__(self, house: House, websocket: WebSocket) -> None:
        self.house = house
        self.websocket = websocket
        self.principal: Principal | None = None
        self.live = False
        """Messages are taken as they come."""
        self._task: asyncio.Task[None] | None = None
        self._early: deque[str | bytes] | None = None
        self._early_bytes = 0
        self._room: asyncio.Future[None] | None = None
        websocket.limit(self.longest_first_message, self._auth_wanted)
        self._auth_timer: asyncio.TimerHandle | None = asyncio.get_running_loop().call_later(
            AUTH_SECONDS, websocket.close, CloseCode.NO_AUTH_IN_TIME, NO_AUTH_IN_TIME
        )

    async def begin(self, principal: Principal, message: dict[str, Any]) -> None:
        """Start what the first message asks for. An error of ours closes the socket."""
        raise NotImplementedError

    def take(self, message: str | bytes) -> Awaitable[None] | None:
        raise NotImplementedError

    def readmit(self, principal: Principal) -> None:
        """Twice a minute: raise Forbidden if the caller, as of now, may not go on."""
        raise NotImplementedError

    def release(self) -> None:
        """The client is gone: let go of everything."""
        raise NotImplementedError

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        if self.live:
            return self.take(message)
        if self._early is not None:
            return self._keep(message, self._early)
        self._authenticate(message)
        return None

    def on_full(self) -> None:
        """Nothing is held back by default."""

    def on_drained(self) -> None:
        """Nothing was held back."""

    def on_visit(self) -> None:
        if self.live:
            self._run(self._check())

    def on_close(self) -> None:
        if self._auth_timer is not None:
            self._auth_timer.cancel()
        if self._task is not None:
            self._task.cancel()
        self.release()

    @property
    def _auth_wanted(self) -> tuple[CloseCode, str]:
        return CloseCode.BAD_TOKEN, f"the first message must be {self.first_message}, as text"

    def _authenticate(self, text: str | bytes) -> None:
        message = None if isinstance(text, bytes) else protocol.auth_message(text, self.longest_first_message)
        if message is None:
            self.websocket.close(*self._auth_wanted)
            return
        if self._auth_timer is not None:
            self._auth_timer.cancel()
            self._auth_timer = None
        self.websocket.limit(LONGEST_MESSAGE)
        self._early = deque()
        self._run(self._begin(message))

    async def _begin(self, message: dict[str, Any]) -> None:
        try:
            self.principal = await self.house.identity.ws_tokens.consume(message["token"])
            await self.begin(self.principal, message)
        except LoomError as error:
            self.websocket.close(*protocol.refusal(error))
        else:
            await self._take_early()

    async def _take_early(self) -> None:
        """What was sent meanwhile, in order; what comes while this waits joins the end."""
        while self._early:
            message = self._early.popleft()
            self._early_bytes -= len(message)
            waiting = self.take(message)
            if waiting is not None:
                await waiting
            if self._room is not None and not self._room.done() and self._early_bytes <= KEPT_INPUT:
                self._room.set_result(None)
        self._early = None
        self.live = True

    def _keep(self, message: str | bytes, early: deque[str | bytes]) -> Awaitable[None] | None:
        early.append(message)
        self._early_bytes += len(message)
        if self._early_bytes <= KEPT_INPUT:
            return None
        self._room = asyncio.get_running_loop().create_future()
        return self._room

    async def _check(self) -> None:
        if self.principal is None:
            return
        try:
            self.principal = await self.house.identity.current(self.principal)
            self.readmit(self.principal)
        except (Unauthorized, Forbidden) as error:
            self.websocket.close(CloseCode.NO_ACCESS, error.message)
        except NotFound:
            # Its end is told by who runs it.
            return
        except LoomError as error:
            self.house.log.warning("the caller of a WebSocket was not checked: %s", error)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self._task = asyncio.create_task(work)
        self._task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        if self._task is task:
            self._task = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self.house.log.error("a WebSocket session failed", exc_info=error)
            self.websocket.close(CloseCode.RUNTIME_FAILURE, "the server failed; its log tells more")
