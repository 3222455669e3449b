"""What all handlers share: the service, who is who, and whether the house is open."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

from traitlets import Unicode
from traitlets.config import LoggingConfigurable

from loom_weaver import __version__
from loom_weaver.data_dir import prepare_data_dir
from loom_weaver.errors import LoomError, Unavailable
from loom_weaver.identity.store import IdentityStore
from loom_weaver.models import STATUSES
from loom_weaver.runtimes.base import Runtime
from loom_weaver.service import WeaverService
from loom_weaver_server.identity import JupyterUsers
from loom_weaver_server.metrics import WeaverCollector
from loom_weaver_server.server_lock import ServerLock
from loom_weaver_server.websocket import WebSockets

STARTING = "The server is starting; try again in a moment"
GO_ON = (
    "%d weavers go on without this server until their lifetime ends; to end them before, start it again"
    " and delete them"
)
UNFORESEEN = "the start failed; the server's log says why"
STOPPING = "The server is shutting down; try again in a moment"


class House(LoggingConfigurable):
    """In Tornado's settings as `loom_weaver_house` from the start, and open once its parts have started."""

    database_url = Unicode(
        "",
        config=True,
        help="Where users and keys are kept, such as postgresql+psycopg://HOST/NAME for several servers;"
        " empty: a SQLite file in the data directory.",
    )
    secrets_key_file = Unicode(
        "",
        config=True,
        help="File with the key that repository secrets are encrypted with; empty: one kept in data_dir.",
    )

    identity: IdentityStore
    runtime: Runtime
    service: WeaverService
    jupyter_users: JupyterUsers
    problem: str | None = STARTING
    """Why nothing can be served; None once everything can."""

    def __init__(self, find_runtime: Callable[[], type[Runtime]], data_dir: str, **kwargs: Any) -> None:
        """Take possession of the data directory, or note why not."""
        super().__init__(**kwargs)
        self.websockets = WebSockets()
        self._stack = contextlib.AsyncExitStack()
        self._data_dir = Path()
        try:
            self._runtime_class = find_runtime()
            self._data_dir = prepare_data_dir(data_dir)
            self._lock = ServerLock(self._data_dir)
        except Unavailable as error:
            self._close(error)
        else:
            self._stack.callback(self._lock.release)

    def __repr__(self) -> str:
        return f"<House {self.problem or 'open'}>"

    @property
    def is_open(self) -> bool:
        return self.problem is None

    @property
    def is_ready(self) -> bool:
        """Whether lists answer."""
        return self.is_open and self.runtime.ready

    @property
    def failed(self) -> bool:
        return self.problem not in (None, STARTING, STOPPING)

    def require_open(self) -> None:
        if self.problem is not None:
            raise Unavailable(self.problem)

    def describe(self) -> dict[str, Any]:
        """For who is known."""
        present = self.runtime.list()
        return {
            "version": __version__,
            "runtime": {"name": self.runtime.info().name, **self.runtime.describe()},
            "weavers": {status: sum(each.status == status for each in present) for status in STATUSES},
            "websockets": len(self.websockets),
        }

    async def open(self) -> None:
        """Start everything in the order in which one needs the other."""
        if self.failed:
            return
        try:
            await self._start()
        except BaseException as error:
            self._close(error if isinstance(error, LoomError) else LoomError(UNFORESEEN))
            await self._stack.aclose()
            if not isinstance(error, LoomError):
                raise
        else:
            self._keep_what_is_there()
            self.problem = None

    async def aclose(self) -> None:
        if self.is_open:
            self._say_what_goes_on()
        if not self.failed:
            self.problem = STOPPING
        await self._stack.aclose()

    def _keep_what_is_there(self) -> None:
        """All modules are loaded by now; a search for garbage in them would stop the loop for 100 ms."""
        gc.collect()
        gc.freeze()

    async def _start(self) -> None:
        self.identity = await self._stack.enter_async_context(
            await IdentityStore.open(
                self._data_dir, url=self.database_url, secrets_key_file=self.secrets_key_file
            )
        )
        self.jupyter_users = JupyterUsers(self.identity, parent=self.parent)
        self.runtime = self._runtime()
        self._stack.push_async_callback(self.runtime.stop)
        await self.runtime.start()
        self.service = WeaverService(self.runtime, self.identity, parent=self.parent)
        self._stack.push_async_callback(self.service.stop)
        await self.service.start()
        self._stack.push_async_callback(self.websockets.stop)
        collector = WeaverCollector(self.service, self.websockets)
        collector.register()
        self._stack.callback(collector.unregister)

    def _runtime(self) -> Runtime:
        """Told what it asks for: where it may keep something, what tells its weavers from those of others."""
        offered = {"data_dir": str(self._data_dir), "installation": self.identity.installation_id}
        asked = {name: value for name, value in offered.items() if name in self._runtime_class.class_traits()}
        return self._runtime_class(parent=self.parent, **asked)

    def _say_what_goes_on(self) -> None:
        active = sum(weaver.active for weaver in self.runtime.list()) if self.runtime.ready else 0
        if active:
            self.log.warning(GO_ON, active)

    def _close(self, error: LoomError) -> None:
        self.problem = f"Weavers cannot be served: {error.message}"
        self.log.error(self.problem)
