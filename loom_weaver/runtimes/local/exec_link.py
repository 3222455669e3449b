"""A command run in the weaver for a server, which gets its descriptors. Standard library only."""

from __future__ import annotations

import os

from loom_weaver.runtimes.local.bubblewrap import SandboxFailed
from loom_weaver.runtimes.local.descendants import descendants, signal_all, signal_groups
from loom_weaver.runtimes.local.light_signal import signal
from loom_weaver.runtimes.local.light_socket import Socket, send_fds
from loom_weaver.runtimes.local.loop import READ
from loom_weaver.runtimes.local.outcome import exit_code, start_error
from loom_weaver.runtimes.local.protocol import encode
from loom_weaver.runtimes.local.terminal import open_pty

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from loom_weaver.runtimes.local.holder_links import Holder

Files = tuple[int, int, int]


class ExecLink:
    """The connection is the command's life: closed by the peer, the command and its process group end."""

    __slots__ = ("_hello", "_holder", "_pid", "_socket")

    def __init__(self, holder: Holder, connection: Socket, hello: dict[str, Any]) -> None:
        self._holder = holder
        self._socket = connection
        self._hello = hello
        self._pid = 0

    def start(self) -> None:
        ours, theirs = self._pty() if self._hello["tty"] else self._pipes()
        try:
            self._pid = self._holder.sandbox.spawn(self._hello["command"], ours, terminal=self._hello["tty"])
        except (OSError, SandboxFailed) as error:
            self._send({"error": start_error(error)})
            self._socket.close()
        else:
            self._holder.execs[self._pid] = self
            self._holder.loop.add(self._socket.fileno(), READ, self._on_peer)
            self._send({"ok": True}, theirs)
        finally:
            for descriptor in {*ours, *theirs}:
                os.close(descriptor)

    def _pty(self) -> tuple[Files, tuple[int, ...]]:
        cols, rows = self._hello["cols"], self._hello["rows"]
        master, slave = open_pty(cols, rows, self._holder.sandbox.terminals)
        return (slave, slave, slave), (master,)

    def _pipes(self) -> tuple[Files, tuple[int, ...]]:
        stdin, stdout, stderr = (os.pipe2(os.O_CLOEXEC) for _ in range(3))
        return (stdin[0], stdout[1], stderr[1]), (stdin[1], stdout[0], stderr[0])

    def exited(self, status: int) -> None:
        """Called when the command was waited for."""
        self._send({"exit_code": exit_code(status)})
        self._close()

    def kill(self) -> None:
        """End the command with all that is below it, and with their process groups."""
        pids = [self._pid, *descendants(self._pid)]
        signal_groups(pids, signal.SIGKILL)
        signal_all(pids, signal.SIGKILL)

    def _send(self, message: dict[str, Any], descriptors: tuple[int, ...] = ()) -> None:
        if self._socket.fileno() < 0:
            return
        try:
            send_fds(self._socket, encode(message), descriptors)
        except OSError:
            self.kill()

    def _on_peer(self, _: int) -> None:
        """The peer says nothing after its greeting: readable means gone."""
        try:
            gone = not self._socket.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            gone = True
        if gone:
            self._close()
            self.kill()

    def _close(self) -> None:
        if self._socket.fileno() >= 0:
            self._holder.loop.remove(self._socket.fileno())
            self._socket.close()
