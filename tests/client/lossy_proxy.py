"""A proxy between client and server that loses answers: the server did it, and nobody is told."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

Loses = Callable[[str, str], bool]


@contextmanager
def losing(server_url: str, loses: Loses) -> Iterator[str]:
    """Its URL. `loses` is asked with method and path whether this answer is dropped with its connection."""
    place = urlsplit(server_url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def relay(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            upstream = http.client.HTTPConnection(place.netloc, timeout=30)
            upstream.request(self.command, place.path + self.path, body, dict(self.headers.items()))
            reply = upstream.getresponse()
            answer = reply.read()
            upstream.close()
            self.close_connection = True
            if loses(self.command, self.path):
                return
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.getheader("Content-Type", "application/json"))
            self.send_header("Content-Length", str(len(answer)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(answer)

        def __getattr__(self, name: str) -> Callable[[], None]:
            """`http.server` looks for `do_GET` and the like."""
            if not name.startswith("do_"):
                raise AttributeError(name)
            return self.relay

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=proxy.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{proxy.server_address[1]}"
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()


class Loss:
    """Loses the first answers, so many, to calls of `method` on paths that end with `end`."""

    def __init__(self, method: str, end: str, times: int) -> None:
        self.wanted = (method, end)
        self.left = times
        self.calls = 0

    def __call__(self, method: str, path: str) -> bool:
        if method != self.wanted[0] or not path.partition("?")[0].endswith(self.wanted[1]):
            return False
        self.calls += 1
        self.left -= 1
        return self.left >= 0
