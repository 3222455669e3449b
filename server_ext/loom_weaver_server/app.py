"""The Jupyter server extension."""

from __future__ import annotations

import os

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from traitlets import Unicode, default
from traitlets.utils.importstring import import_item

from loom_weaver.errors import Unavailable
from loom_weaver.files import Files
from loom_weaver.quotas import Quotas
from loom_weaver.runtimes.base import Runtime
from loom_weaver.service import WeaverService
from loom_weaver_server.house import House
from loom_weaver_server.identity import JupyterUsers
from loom_weaver_server.openapi import document
from loom_weaver_server.routes import ROUTES, handlers
from loom_weaver_server.secrets_in_text import scrub_tornados_log

RUNTIMES = {
    "kubernetes": "loom_weaver.runtimes.kubernetes.runtime.KubernetesRuntime",
    "local": "loom_weaver.runtimes.local.runtime.LocalRuntime",
    "memory": "loom_weaver.runtimes.memory.MemoryRuntime",
}


class LoomWeaverApp(ExtensionApp):
    name = "loom_weaver"
    load_other_extensions = True
    classes = [House, JupyterUsers, WeaverService, Quotas, Files]  # noqa: RUF012

    runtime = Unicode(
        config=True,
        help="What runs weavers: local (processes on this machine), kubernetes (pods of a cluster), or the"
        " import path of a Runtime."
        " Default: the environment's LOOM_WEAVER_RUNTIME, else local.",
    )
    data_dir = Unicode(
        "",
        config=True,
        help="Where users, keys and the local runtime's weavers are kept."
        " Default: loom-weaver in Jupyter's data directory.",
    )

    @default("runtime")
    def _runtime_from_environment(self) -> str:
        return os.environ.get("LOOM_WEAVER_RUNTIME", "local")

    def initialize_settings(self) -> None:
        scrub_tornados_log()
        self.house = House(self.find_runtime, self.data_dir, parent=self)
        self.settings["loom_weaver_house"] = self.house
        self.settings["loom_weaver_openapi"] = document(ROUTES)

    def initialize_handlers(self) -> None:
        self.handlers.extend(handlers())

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        await self.house.open()

    async def stop_extension(self) -> None:
        await self.house.aclose()

    def find_runtime(self) -> type[Runtime]:
        """Raise Unavailable for what is no runtime."""
        try:
            found = import_item(RUNTIMES.get(self.runtime, self.runtime))
        except ModuleNotFoundError as error:
            raise Unavailable(self._missing(error.name or "") or self._no_runtime()) from error
        except ImportError as error:
            raise Unavailable(self._no_runtime()) from error
        if not (isinstance(found, type) and issubclass(found, Runtime)):
            raise Unavailable(self._no_runtime())
        return found

    def _missing(self, module: str) -> str | None:
        """What to do where one of our own runtimes needs a package that is not here."""
        package = module.partition(".")[0]
        if self.runtime not in RUNTIMES or package == "loom_weaver":
            return None
        return f"the {self.runtime} runtime needs {package}: pip install 'loom-weaver[{self.runtime}]'"

    def _no_runtime(self) -> str:
        return f"there is no runtime {self.runtime!r}; choose {', '.join(RUNTIMES)} or the path of a class"
