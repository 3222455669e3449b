"""Single calls of the API over the standard library.

The client with its models takes several times as long to load as `ps` takes to run: what makes one call goes
without it, and what streams, copies or creates uses it.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from email.message import Message
from http.client import HTTPException, HTTPMessage
from typing import IO, Any, NamedTuple

from loom_weaver import __version__
from loom_weaver.client.discovery import find_server
from loom_weaver.client.errors import ConnectionFailed, NotALoomServer
from loom_weaver.client.refusals import error_of
from loom_weaver.client.server import Server

# As the client's `Timeouts.call`.
ANSWER_SECONDS = 30.0
LARGEST_REFUSAL = 1024 * 1024
Query = dict[str, str | list[str]]


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A key goes to the server that it belongs to and nowhere else."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        return None


class Api:
    def __init__(self, server: Server | None = None) -> None:
        self.server = server or find_server()
        # A proxy is not the way to this very machine.
        proxies = urllib.request.ProxyHandler({} if self.server.is_local else None)
        self._opener = urllib.request.build_opener(proxies, _NoRedirects)

    def get(self, path: str, query: Query | None = None) -> Any:
        return self._call("GET", path, query)

    def post(self, path: str, query: Query | None = None) -> Any:
        return self._call("POST", path, query, b"")

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        return self._call("PATCH", path, None, json.dumps(body).encode())

    def delete(self, path: str) -> None:
        self._call("DELETE", path)

    def _call(self, method: str, path: str, query: Query | None = None, body: bytes | None = None) -> Any:
        url = self.server.url.rstrip("/") + path
        if query:
            url += f"?{urllib.parse.urlencode(query, doseq=True)}"
        headers = {"User-Agent": f"loom-weaver/{__version__}", "Accept": "application/json"}
        headers |= self.server.headers | ({"Content-Type": "application/json"} if body else {})
        request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310
        return self._answer(request)

    def _answer(self, request: urllib.request.Request) -> Any:
        try:
            with self._opener.open(request, timeout=ANSWER_SECONDS) as reply:
                content = reply.read()
                return json.loads(content) if content else None
        except urllib.error.HTTPError as refusal:
            with refusal:
                answer = _Refusal(refusal.code, refusal.read(LARGEST_REFUSAL), refusal.headers)
            raise error_of(answer, self.server.url) from refusal
        except urllib.error.URLError as failure:
            raise self._unreachable(failure.reason) from failure
        except (OSError, HTTPException) as failure:
            raise self._unreachable(failure) from failure
        except ValueError as nonsense:
            raise NotALoomServer(
                f"{self.server.url} does not answer as a server with weavers does"
            ) from nonsense

    def _unreachable(self, reason: object) -> ConnectionFailed:
        words = str(getattr(reason, "strerror", None) or reason or type(reason).__name__)
        return ConnectionFailed(f"{self.server.url} does not answer: {words}; is the server running there?")


class _Refusal(NamedTuple):
    status_code: int
    content: bytes
    headers: Message
