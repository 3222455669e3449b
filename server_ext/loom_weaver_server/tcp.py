"""Is the other end of a connection still there? What the kernel knows, as a peer that vanished says nothing.

TCP_USER_TIMEOUT would also end a connection whose reader merely pauses, and keepalive probes stop as soon as
something is on its way; so the kernel's own counters are read instead (tcp(7), `struct tcp_info`).
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

TCP_INFO = struct.Struct("=BBBBBBBB24I4Q2I1I")
TCP_CLOSE, TCP_CLOSE_WAIT = 7, 8
# A peer whose kernel acknowledges nothing for this long, although something is on its way to it, is gone.
SILENT_AFTER_MS = 20_000
# Probes of a closed window go out at growing distances; so many in a row take some 25 s.
UNANSWERED_PROBES = 7


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


def state_of(connection: socket.socket) -> TcpState | None:
    """None where there is no TCP to ask about."""
    try:
        return parse(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO.size))
    except (OSError, AttributeError):
        return None
