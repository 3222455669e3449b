"""PostgreSQL for pods: this machine's address in their network, and on to the server's socket."""

from __future__ import annotations

import socket
import socketserver
import threading
from types import TracebackType

from sqlalchemy import make_url

# This machine, as the pods of the test cluster see it.
ADDRESS = "10.88.0.1"


class Relay:
    """For as long as it is entered; what it gives is `USER:PASSWORD@HOST` of a database URL."""

    def __init__(self, url: str) -> None:
        place = make_url(url)
        self._user = place.username
        path = f"{place.query['host']}/.s.PGSQL.5432"

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with socket.socket(socket.AF_UNIX) as server:
                    server.connect(path)
                    back = threading.Thread(target=_pass_on, args=(server, self.request))
                    back.start()
                    _pass_on(self.request, server)
                    back.join()

        self._server = socketserver.ThreadingTCPServer((ADDRESS, 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> str:
        self._thread.start()
        return f"{self._user}:unused@{ADDRESS}:{self._server.server_address[1]}"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        # One side is gone: neither has anything to say to the other any more.
        for each in (source, target):
            each.close()
