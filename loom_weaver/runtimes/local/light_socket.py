"""Sockets by the part of CPython's `socket` that is written in C, for holders: see `light_json` for why."""

from __future__ import annotations

import _socket
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

DESCRIPTOR = struct.Struct("i")
RIGHTS = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS)


class Socket(_socket.socket):
    """As `socket.socket`, as far as holders use it."""

    __slots__ = ()

    def accept(self) -> Socket:
        descriptor, _ = self._accept()  # type: ignore[attr-defined]
        return Socket(fileno=descriptor)


def send_fds(connection: Socket, data: bytes, descriptors: Sequence[int]) -> None:
    """Both go in one step where the socket has room."""
    passed = b"".join(map(DESCRIPTOR.pack, descriptors))
    connection.sendmsg([data], [(*RIGHTS, passed)] if descriptors else [])


def recv_fds(connection: Socket, size: int, count: int) -> tuple[bytes, list[int]]:
    """At most `size` bytes and `count` descriptors."""
    room = _socket.CMSG_LEN(count * DESCRIPTOR.size)
    data, ancillary, _, _ = connection.recvmsg(size, room, _socket.MSG_CMSG_CLOEXEC)
    passed = b"".join(content for level, kind, content in ancillary if (level, kind) == RIGHTS)
    return data, [descriptor for (descriptor,) in DESCRIPTOR.iter_unpack(passed)]
