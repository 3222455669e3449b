"""A Jupyter server with this extension alone, in the foreground, on the loopback address."""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys

from jupyter_server.serverapp import ServerApp
from traitlets.config import Config

from loom_weaver_server.house import House

LOOPBACK = "127.0.0.1"
# A weaver holds one, a terminal or reader of a log two: room for ten thousand of all. Weavers inherit it.
OPEN_FILES = 65_536
AS_ROOT = "Warning: this server runs as root; give it a user of its own where others can reach it"


class StandaloneServer(ServerApp):
    """Configured by its command line and `jupyter_loom_weaver_config.py`, not by files of other servers."""

    def load_config_file(self, *_: object, **__: object) -> None:
        """Leave `jupyter_server_config` to the Jupyter servers that people open in a browser."""

    def init_signal(self) -> None:
        """Stop in good order, and without asking first: weavers survive it."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stop(from_signal=True))

    async def _post_start(self) -> None:
        await super()._post_start()  # type: ignore[no-untyped-call]
        if house_of(self).failed:
            self.stop()


def run(port: int, options: Config) -> int:
    """Serve until a signal comes; returns the exit code."""
    if os.geteuid() == 0:
        print(AS_ROOT, file=sys.stderr)  # noqa: T201
    taken = _port_problem(port)
    if taken:
        print(taken, file=sys.stderr)  # noqa: T201
        return 1
    server = _server(port, options)
    if not house_of(server).failed:
        server.start()
    if house_of(server).failed:
        print(f"Error: {house_of(server).problem}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def house_of(server: ServerApp) -> House:
    house = server.web_app.settings["loom_weaver_house"]
    if not isinstance(house, House):
        raise TypeError("another extension took our place in the settings")
    return house


def _server(port: int, options: Config) -> StandaloneServer:
    config = Config(
        ServerApp={
            "allow_root": True,
            "allow_unauthenticated_access": False,
            "ip": LOOPBACK,
            "jpserver_extensions": {"loom_weaver_server": True},
            "min_open_files_limit": min(OPEN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
            "open_browser": False,
            "port": port,
            "port_retries": 0,
            "reraise_server_extension_failures": True,
        }
    )
    config.merge(options)
    server = StandaloneServer.instance(config=config)
    server.initialize(argv=[], find_extensions=False)
    return server


def _port_problem(port: int) -> str | None:
    """Why nothing can listen there: said in one line, before anything has started."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            return f"Error: cannot listen on {LOOPBACK}:{port}: {error.strerror}; choose another --port"
    return None
