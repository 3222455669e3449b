"""One server for each data directory: two would both be the one that owns its weavers."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from loom_weaver.errors import Unavailable

LOCK_FILE = "server.lock"


class ServerLock:
    """Held from its making until `release`, or until the process ends, however it ends."""

    def __init__(self, data_dir: Path) -> None:
        """Raise Unavailable where another server holds it."""
        path = data_dir / LOCK_FILE
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unavailable(f"the data directory {data_dir} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.release()
            raise Unavailable(
                f"another server uses the data directory {data_dir}; stop it, or give this one"
                " a directory of its own with --data-dir (LoomWeaverApp.data_dir)"
            ) from error

    def release(self) -> None:
        os.close(self._descriptor)
