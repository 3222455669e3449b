"""Starting holders: through the warm fork server, or cold where that is gone."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import loom_weaver
from loom_weaver.runtimes.local.protocol import SOCKET

# `-I -S` start an interpreter without the environment's settings and site-packages: in a third of the time.
BOOT = (
    "import sys; sys.path.insert(0, {root!r}); "
    "from loom_weaver.runtimes.local.forkserver import main; main(sys.argv[1:])"
)
BACKLOG = 512


class Launcher:
    """Owns the fork server, which ends when its socket closes."""

    def __init__(self, log: logging.Logger | logging.LoggerAdapter[logging.Logger]) -> None:
        self._log = log
        self._requests: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = self._spawn(theirs)
        ours.setblocking(False)
        self._requests = ours

    async def stop(self) -> None:
        if self._requests is not None:
            self._requests.close()
            self._requests = None
        if self._process is not None:
            await asyncio.to_thread(self._process.wait)
            self._process = None

    async def launch(self, folder: Path) -> socket.socket:
        """Start a holder for `folder`; gives its control connection, on which it waits for the request."""
        ours, theirs = socket.socketpair()
        try:
            with theirs, listen(folder) as listener:
                if not self._hand_over(listener, theirs):
                    await asyncio.to_thread(self._spawn(listener, theirs).wait)
        except BaseException:
            ours.close()
            raise
        return ours

    def _hand_over(self, *sockets: socket.socket) -> bool:
        """Whether the fork server took it."""
        if self._requests is None:
            return False
        try:
            socket.send_fds(self._requests, [b"+"], [each.fileno() for each in sockets])
        except OSError as error:
            self._log.warning("The fork server is not there (%s); starting the holder cold", error)
            return False
        return True

    def _spawn(self, *sockets: socket.socket) -> subprocess.Popen[bytes]:
        root = str(Path(loom_weaver.__file__).parent.parent)
        descriptors = [each.fileno() for each in sockets]
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", BOOT.format(root=root), *map(str, descriptors)],
            stdin=subprocess.DEVNULL,
            pass_fds=descriptors,
            start_new_session=True,
        )


def listen(folder: Path) -> socket.socket:
    """The weaver's socket, ready for connections before anybody accepts them."""
    listener = socket.socket(socket.AF_UNIX)
    try:
        with short_path(folder) as path:
            listener.bind(path)
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


@contextmanager
def short_path(folder: Path) -> Iterator[str]:
    """A name of the socket that fits into the 107 bytes of a unix address, however long the folder's is."""
    descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET}"
    finally:
        os.close(descriptor)
