"""One client of a weaver's terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from loom_weaver import access
from loom_weaver import terminal_protocol as protocol
from loom_weaver.errors import Forbidden, NotFound
from loom_weaver.identity.principal import Principal
from loom_weaver.lifetime import utc_now
from loom_weaver.presence import AccessLevel, Presence, Size
from loom_weaver.runtimes.base import Attachment, ReplayStart
from loom_weaver.terminal_protocol import Ack, CloseCode, Ping, Resize, Typed
from loom_weaver.weaver import Weaver
from loom_weaver_server.websocket import VISIT_INTERVAL, WebSocket
from loom_weaver_server.websocket_session import WebSocketSession

if TYPE_CHECKING:
    from loom_weaver_server.house import House

# A client that acknowledges has at most this much to draw: more than a round trip's worth on any network, and
# little enough to be drawn in a blink.
DRAW_WINDOW = 1024 * 1024
ACCESS_CHANGED = "Your access to this weaver has changed; connect again"
FELL_BEHIND = "too far behind the terminal's output; connect again"
# Visits come a little later than they should; what is due until the next one must not fall between them.
NEXT_VISIT = timedelta(seconds=VISIT_INTERVAL + 2)


@dataclass(frozen=True, slots=True)
class TerminalRequest:
    weaver_id: str
    start: ReplayStart
    v1: bool


class TerminalSession(WebSocketSession):
    """Also implements `runtimes.base.Viewer`."""

    __slots__ = (
        "_access", "_acked", "_attachment", "_had_ended", "_paused", "_presence", "_presence_due", "_request",
        "_sent", "_viewer_id", "_warning", "_warning_at",
    )  # fmt: skip

    def __init__(self, house: House, websocket: WebSocket, request: TerminalRequest) -> None:
        super().__init__(house, websocket)
        self._request = request
        self._access: AccessLevel = "read_only"
        self._attachment: Attachment | None = None
        self._presence: Presence | None = None
        self._viewer_id = 0
        self._had_ended = False
        self._paused = False
        self._presence_due = False
        self._sent = 0
        self._acked: int | None = None
        self._warning: asyncio.TimerHandle | None = None
        self._warning_at: datetime | None = None

    def __repr__(self) -> str:
        return f"<TerminalSession {self._request.weaver_id} live={self.live} paused={self._paused}>"

    async def begin(self, principal: Principal, message: dict[str, Any]) -> None:
        weaver = self.house.service.find(principal, "attach", self._request.weaver_id)
        self._access = _access_level(principal, weaver)
        self._had_ended = not weaver.active
        runtime = self.house.service.runtime
        self._attachment = await runtime.attach(weaver.id, self, self._request.start)
        self._greet(self._attachment, principal)
        self._attachment.resume()

    def take(self, message: str | bytes) -> Awaitable[None] | None:
        if isinstance(message, bytes):
            return self._type(message)
        meaning = protocol.v1_text(message) if self._request.v1 else protocol.documented_text(message)
        match meaning:
            case Typed(text):
                return self._type(text.encode())
            case Resize():
                self._resize(meaning.size)
            case Ping() if not self.websocket.full:
                self._tell(protocol.pong())
            case Ack(drawn):
                self._acked = min(self._sent, (self._acked or 0) + drawn)
                self._update_flow()
        return None

    def readmit(self, principal: Principal) -> None:
        weaver = self.house.service.find(principal, "attach", self._request.weaver_id)
        if _access_level(principal, weaver) != self._access:
            raise Forbidden(ACCESS_CHANGED)

    def release(self) -> None:
        if self._warning is not None:
            self._warning.cancel()
        if self._attachment is not None:
            self._attachment.close()
        if self._presence is not None:
            self._presence.leave(self._viewer_id)
            self._apply_size()
            self.house.service.presence.drop_empty(self._request.weaver_id)

    def on_full(self) -> None:
        self._update_flow()

    def on_drained(self) -> None:
        if self._presence_due:
            self._tell_presence()
        self._update_flow()

    def on_visit(self) -> None:
        super().on_visit()
        self._plan_warning()

    def output(self, data: memoryview) -> None:
        self._sent += len(data)
        self.websocket.send_bytes(data)
        if self._acked is not None:
            self._update_flow()

    def gap(self, missing: int | None) -> None:
        self._tell(protocol.gap(missing))

    def ended(self) -> None:
        weaver = self._weaver()
        self._tell(protocol.exited(weaver))
        self.websocket.close(*protocol.farewell(weaver, had_ended=self._had_ended))

    def too_slow(self) -> None:
        self.websocket.close(CloseCode.TOO_SLOW, FELL_BEHIND)

    def failed(self, message: str) -> None:
        self.websocket.close(CloseCode.RUNTIME_FAILURE, message)

    def _greet(self, attachment: Attachment, principal: Principal) -> None:
        """In one step, so that nothing comes between. The notice is none of the terminal's bytes."""
        self._presence = self.house.service.presence.at(self._request.weaver_id)
        self._presence.set_terminal_size(attachment.size)
        self._viewer_id = self._presence.join(
            principal.user_id, principal.name, self._access, self._tell_presence
        )
        if self._access == "read_only":
            self.websocket.send_bytes(protocol.READ_ONLY_NOTICE)
        self._tell(protocol.ready(self._ready(attachment, self._presence)))
        self._tell_presence()
        if attachment.gap != 0:
            self._tell(protocol.gap(attachment.gap))
        weaver = self._weaver()
        if weaver is not None and weaver.active:
            self._warn_if_near(weaver)
            self._plan_warning()

    def _ready(self, attachment: Attachment, presence: Presence) -> protocol.Ready:
        return protocol.Ready(
            viewer=self._viewer_id,
            access=self._access,
            epoch=attachment.epoch,
            offset=attachment.offset,
            live=attachment.live,
            size=presence.terminal_size,
            primary=presence.primary == self._viewer_id,
        )

    def _type(self, data: bytes) -> Awaitable[None] | None:
        if self._access != "full" or not data or self._attachment is None or self._presence is None:
            return None
        self._presence.type(self._viewer_id)
        return self._attachment.send(data)

    def _resize(self, size: Size) -> None:
        if self._access == "full" and self._presence is not None:
            self._presence.resize(self._viewer_id, size)
            self._apply_size()

    def _apply_size(self) -> None:
        presence, weaver = self._presence, self._weaver()
        if presence is None or weaver is None or not weaver.active:
            return
        size = presence.size
        if size is not None and size != presence.terminal_size:
            self.house.service.runtime.resize(weaver.id, *size)
            presence.set_terminal_size(size)

    def _update_flow(self) -> None:
        """Hold the terminal back while the client has enough to take, or to draw."""
        undrawn = self._sent - self._acked if self._acked is not None else 0
        paused = self.websocket.full or undrawn > DRAW_WINDOW
        if paused != self._paused and self._attachment is not None:
            self._paused = paused
            if paused:
                self._attachment.pause()
            else:
                self._attachment.resume()

    def _tell(self, text: str) -> None:
        if self._request.v1:
            self.websocket.send_text(text)

    def _tell_presence(self) -> None:
        """Only the newest matters: a client that does not keep up gets it when it does."""
        self._presence_due = self.websocket.full
        if self._presence is not None and self._viewer_id and not self._presence_due:
            self._tell(protocol.presence(self._presence, self._presence.terminal_size))

    def _warn_if_near(self, weaver: Weaver) -> None:
        now = utc_now()
        if weaver.expires_at - now <= timedelta(minutes=max(protocol.WARNING_MINUTES)):
            self._tell(protocol.warning(weaver.expires_at, now))

    def _plan_warning(self) -> None:
        """Look ahead to the next visit only: until then the lifetime may change."""
        weaver = self._weaver()
        if not self._request.v1 or weaver is None or not weaver.active:
            return
        now = utc_now()
        moment = protocol.next_warning(weaver.expires_at, now)
        if moment is not None and moment - now <= NEXT_VISIT and moment != self._warning_at:
            self._warning_at = moment
            delay = (moment - now).total_seconds()
            self._warning = asyncio.get_running_loop().call_later(delay, self._warn, weaver.expires_at)

    def _warn(self, expires_at: datetime) -> None:
        weaver = self._weaver()
        if weaver is not None and weaver.expires_at == expires_at:
            self._tell(protocol.warning(expires_at, utc_now()))

    def _weaver(self) -> Weaver | None:
        try:
            return self.house.service.runtime.get(self._request.weaver_id)
        except NotFound:
            return None


def _access_level(principal: Principal, weaver: Weaver) -> AccessLevel:
    return "full" if access.may(principal, "write", weaver) else "read_only"
