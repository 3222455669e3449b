"""Is the other end of a connection still there? What the kernel knows, as a peer that vanished says nothing.

TCP_USER_TIMEOUT would also end a connection whose reader merely pauses, and keepalive probes stop as soon as
something is on its way; so the kernel's own counters are read instead (tcp(7), `struct tcp_info`).
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import Protocol

TCP_INFO = struct.Struct("=BBBBBBBB24I4Q2I1I")
TCP_CLOSE, TCP_CLOSE_WAIT = 7, 8
# A peer whose kernel acknowledges nothing for this long, although something is on its way to it, is gone.
SILENT_AFTER_MS = 20_000
# Probes of a closed window go out at growing distances; so many in a row take some 25 s.
UNANSWERED_PROBES = 7
# A peer that answers so many pings in a row by nothing at all is dead, though its machine may live.
UNANSWERED_PINGS = 2


class Connection(Protocol):
    def getsockopt(self, level: int, option: int, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class TcpState:
    state: int
    retransmits: int
    probes: int
    unacked: int
    last_ack_ms: int
    acked_bytes: int
    unsent_bytes: int

    @property
    def gone(self) -> bool:
        """The peer closed, or its machine does not answer."""
        silent = self.unacked > 0 and self.retransmits > 0 and self.last_ack_ms > SILENT_AFTER_MS
        return self.state in (TCP_CLOSE, TCP_CLOSE_WAIT) or silent or self.probes >= UNANSWERED_PROBES

    @property
    def backlog(self) -> bool:
        """Whether the peer has not taken all that was sent."""
        return self.unacked > 0 or self.unsent_bytes > 0


def parse(info: bytes) -> TcpState | None:
    """None for what an old kernel gives too little of."""
    if len(info) < TCP_INFO.size:
        return None
    fields = TCP_INFO.unpack_from(info)
    return TcpState(
        state=fields[0],
        retransmits=fields[2],
        probes=fields[3],
        unacked=fields[12],
        last_ack_ms=fields[20],
        acked_bytes=fields[34],
        unsent_bytes=fields[38],
    )


def state_of(connection: Connection) -> TcpState | None:
    """None where there is no TCP to ask about."""
    try:
        return parse(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO.size))
    except (OSError, AttributeError):
        return None


class Pulse:
    """What shows between two pings that a peer lives: anything that it says, or takes of a backlog."""

    __slots__ = ("_taken", "_unanswered", "connection", "heard")

    def __init__(self) -> None:
        self.connection: Connection | None = None
        self.heard = False
        """Set when the peer says anything."""
        self._taken = 0
        self._unanswered = 0

    def stopped(self, *, backlog: bool, deaf: bool) -> bool:
        """Whether to give the peer up. `deaf`: nobody reads what it says, so silence proves nothing."""
        state = state_of(self.connection) if self.connection is not None else None
        if state is not None and state.gone:
            return True
        took = state is not None and (backlog or state.backlog) and state.acked_bytes > self._taken
        self._taken = state.acked_bytes if state is not None else 0
        alive = self.heard or deaf or took
        self._unanswered = 0 if alive else self._unanswered + 1
        self.heard = False
        return self._unanswered > UNANSWERED_PINGS
