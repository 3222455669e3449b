"""HTTP: the one place where requests are made, answers become errors, and calls are tried again."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypedDict, Unpack
from urllib.parse import quote

import httpx

from loom_weaver import __version__
from loom_weaver.client.answers import as_our_errors
from loom_weaver.client.errors import ConnectionFailed
from loom_weaver.client.fields import Timeouts
from loom_weaver.client.refusals import error_of
from loom_weaver.client.retrying import never_sent, passes, retrying
from loom_weaver.client.server import Server
from loom_weaver.errors import BadRequest
from loom_weaver.names import is_weaver_id

CONNECT_TIMEOUT = 10.0


Params = list[tuple[str, str | int | float | bool | None]]


class RequestOptions(TypedDict, total=False):
    params: Params
    headers: Mapping[str, str]
    json: Any
    content: Callable[[], bytes | AsyncIterator[bytes]]
    """Called for each attempt."""
    timeout: float
    again: bool
    """Whether the call may be made twice; else it is repeated only when it was never sent."""


def weaver_path(weaver_id: str, what: str = "") -> str:
    if not is_weaver_id(weaver_id):
        raise BadRequest(f"{weaver_id!r} is no weaver's id; one looks like weaver_abc123", field="weaver_id")
    return f"/api/weaver/{quote(weaver_id, safe='')}{what}"


class Transport:
    """Serves any number of tasks of one event loop."""

    def __init__(self, server: Server, timeouts: Timeouts) -> None:
        self.server = server
        self.timeouts = timeouts
        self.tls = server.tls()
        self._http = httpx.AsyncClient(
            headers={**server.headers, "User-Agent": f"loom-weaver/{__version__}"},
            # A proxy is not the way to this very machine.
            trust_env=not server.is_local,
            verify=self.tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            # Each stream holds a connection.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=32),
        )

    def __repr__(self) -> str:
        return f"<Transport {self.server.url} {'closed' if self._http.is_closed else 'open'}>"

    @property
    def is_closed(self) -> bool:
        return self._http.is_closed

    async def aclose(self) -> None:
        await self._http.aclose()

    async def call(self, method: str, path: str, **options: Unpack[RequestOptions]) -> httpx.Response:
        """The whole answer, a 2xx; raises what any other one says."""
        again = options.get("again", method in ("GET", "PUT", "PATCH"))
        return await retrying(
            lambda: self.attempt(method, path, **options),
            self.timeouts.retry,
            lambda error: passes(error) and (again or never_sent(error)),
        )

    async def attempt(self, method: str, path: str, **options: Unpack[RequestOptions]) -> httpx.Response:
        request = self._request(method, path, options)
        with as_our_errors(self.server.url):
            response = await self._http.send(request)
        return await self._checked(response)

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, **options: Unpack[RequestOptions]
    ) -> AsyncIterator[httpx.Response]:
        """One attempt; the body is read inside of `async with`, where it raises errors of ours too."""
        request = self._request(method, path, options)
        with as_our_errors(self.server.url):
            response = await self._http.send(request, stream=True)
            try:
                yield await self._checked(response)
            finally:
                await response.aclose()

    def _request(self, method: str, path: str, options: RequestOptions) -> httpx.Request:
        if self._http.is_closed:
            raise ConnectionFailed("this client is closed; make a new one")
        content = options.get("content")
        return self._http.build_request(
            method,
            self.server.url + path,
            params=options.get("params") or None,
            headers=options.get("headers"),
            json=options.get("json"),
            content=content() if content else None,
            timeout=httpx.Timeout(options.get("timeout", self.timeouts.call), connect=CONNECT_TIMEOUT),
        )

    async def _checked(self, response: httpx.Response) -> httpx.Response:
        if response.is_success:
            return response
        await response.aread()
        raise error_of(response, self.server.url)
