"""Raw calls to one API server: bytes in, bytes out, errors in our own words.

Four clients, so that none waits for another: `calls` for short requests, `creates` for those that come by
the hundred, `watches` for the few watches, and `streams` for logs, attach and exec, which hold their
connections for hours.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiohttp
import msgspec

from loom_weaver.errors import Unavailable
from loom_weaver.runtimes.kubernetes.configuration import ClusterConfiguration
from loom_weaver.runtimes.kubernetes.connections import (
    Connections,
    HTTPRefusal,
    call_words,
    in_our_words,
    tls_context,
)

Query = Mapping[str, str] | Sequence[tuple[str, str]]
Answer = TypeVar("Answer")

CONNECT_SECONDS = 5.0
CALL_SECONDS = 15.0
HANDSHAKE_SECONDS = 10.0
# A burst of creates waits less for connections that are open than for a TLS handshake each.
CREATES_AT_ONCE = 16
HEARTBEAT_SECONDS = 30.0
# A kubelet sends 32 KiB at a time.
LARGEST_MESSAGE = 4 * 2**20
CHANNEL_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
REFRESH_SECONDS = 60.0
# After a 401 the configuration is read again, but not for each of a thousand calls.
RELOAD_PAUSE_SECONDS = 5.0
MERGE_PATCH = "application/merge-patch+json"

log = logging.getLogger(__name__)


class Cluster:
    """One API server, as one of its users. Open with `await Cluster.open(…)`, end with `close()`.

    Each method raises `Refusal` (with `.status` and `.text`) for an HTTP status of 400 and above,
    `Unavailable` where there is no connection, and `RuntimeTimeout` where there is no answer in time.
    `path` starts with `/api/v1/…`; `call` says in a few words what was tried, for the message of an error.
    """

    def __init__(
        self, settings: ClusterConfiguration, context: ssl.SSLContext, call_timeout: float = CALL_SECONDS
    ) -> None:
        self._settings = settings
        self._context = context
        self._call_timeout = call_timeout
        short = aiohttp.ClientTimeout(total=call_timeout, sock_connect=CONNECT_SECONDS)
        self._calls = Connections(context, short)
        self._creates = Connections(context, short, limit=CREATES_AT_ONCE)
        long = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
        self._watches = Connections(context, long)
        self._streams = Connections(context, long)
        self._reloaded_at = time.monotonic()
        self._reloading = asyncio.Lock()
        self._refreshing = asyncio.create_task(self._refresh(), name="Kubernetes credentials")

    def __repr__(self) -> str:
        return f"<Cluster {self._settings.configuration.host}>"

    @classmethod
    async def open(
        cls, kubeconfig: str = "", context: str = "", *, call_timeout: float = CALL_SECONDS
    ) -> Cluster:
        """Read the configuration; nothing is called yet. Raises Unavailable where there is none."""
        settings = ClusterConfiguration(kubeconfig, context)
        await settings.load()
        try:
            tls = await asyncio.to_thread(tls_context, settings.configuration)
        except (OSError, ssl.SSLError) as error:
            raise Unavailable(f"the certificates of the Kubernetes configuration are bad: {error}") from error
        return cls(settings, tls, call_timeout)

    async def close(self) -> None:
        self._refreshing.cancel()
        await asyncio.wait([self._refreshing])
        for client in (self._calls, self._creates, self._watches, self._streams):
            await client.close()

    async def get(self, path: str, query: Query = (), *, call: str = "") -> bytes:
        return await self._call("GET", path, query, call=call)

    async def post(self, path: str, body: Any, query: Query = (), *, call: str = "") -> bytes:
        return await self._call("POST", path, query, body, call=call)

    async def patch(
        self, path: str, body: Any, query: Query = (), *, kind: str = MERGE_PATCH, call: str = ""
    ) -> bytes:
        return await self._call("PATCH", path, query, body, kind=kind, call=call)

    async def delete(self, path: str, body: Any = None, query: Query = (), *, call: str = "") -> bytes:
        return await self._call("DELETE", path, query, body, call=call)

    @asynccontextmanager
    async def stream(
        self, path: str, query: Query = (), *, silence: float | None = None, call: str = ""
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A long answer, such as a followed log: read `response.content`. `silence` seconds without a byte
        raise RuntimeTimeout; what breaks while it is read comes as aiohttp's own ClientError."""
        async with self._open(self._streams, path, query, silence, call) as response:
            yield response

    @asynccontextmanager
    async def watch(
        self, path: str, query: Query = (), *, silence: float | None = None, call: str = ""
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """As `stream`, on connections of its own."""
        async with self._open(self._watches, path, query, silence, call) as response:
            yield response

    async def websocket(
        self,
        path: str,
        query: Query = (),
        *,
        protocols: Sequence[str] = CHANNEL_PROTOCOLS,
        heartbeat: float = HEARTBEAT_SECONDS,
        call: str = "",
    ) -> aiohttp.ClientWebSocketResponse:
        """An exec or attach; `.protocol` is what the server chose. A refusal carries status and text."""
        call = call or call_words("GET", path)

        async def connect() -> aiohttp.ClientWebSocketResponse:
            url, headers = self._url(path), await self._headers()
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                socket: aiohttp.ClientWebSocketResponse = await self._streams.session.ws_connect(
                    url,
                    params=query,
                    headers=headers,
                    protocols=protocols,
                    heartbeat=heartbeat,
                    max_msg_size=LARGEST_MESSAGE,
                    **self._way(),
                )
                return socket

        with in_our_words(call):
            return await self._authorized(connect)

    async def _call(
        self, method: str, path: str, query: Query, body: Any = None, *, kind: str = "", call: str = ""
    ) -> bytes:
        data = None if body is None else msgspec.json.encode(body)

        async def send() -> bytes:
            headers = await self._headers(kind or "application/json")
            client = self._creates if method == "POST" else self._calls
            async with client.session.request(
                method, self._url(path), params=query, data=data, headers=headers, **self._way()
            ) as response:
                return await response.read()

        with in_our_words(call or call_words(method, path)):
            return await self._authorized(send)

    @asynccontextmanager
    async def _open(
        self, client: Connections, path: str, query: Query, silence: float | None, call: str
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        timeout = aiohttp.ClientTimeout(
            total=None, connect=None, sock_connect=CONNECT_SECONDS, sock_read=silence
        )

        async def send() -> aiohttp.ClientResponse:
            headers = await self._headers()
            async with asyncio.timeout(self._call_timeout):
                return await client.session.get(
                    self._url(path), params=query, headers=headers, timeout=timeout, **self._way()
                )

        with in_our_words(call or call_words("GET", path)):
            response = await self._authorized(send)
        try:
            yield response
        finally:
            if (connection := response.connection) and connection.transport:
                # Not the polite way: the other side may have much to say that nobody reads any more.
                connection.transport.abort()
            response.close()

    async def _authorized(self, send: Callable[[], Awaitable[Answer]]) -> Answer:
        """Once more with fresh credentials where the present ones have had their day."""
        began = time.monotonic()
        try:
            return await send()
        except HTTPRefusal as error:
            if error.status != 401 or not await self._reload(began):
                raise
        return await send()

    async def _reload(self, since: float) -> bool:
        """Whether the credentials are others than they were at that moment."""
        async with self._reloading:
            if self._reloaded_at > since:
                return True
            if time.monotonic() - self._reloaded_at < RELOAD_PAUSE_SECONDS:
                return False
            await self._settings.load()
            self._take_certificates()
            self._reloaded_at = time.monotonic()
            return True

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            try:
                await self._settings.refresh()
                self._take_certificates()
            except Exception as error:  # noqa: BLE001 (plugins of every kind; the next call says what is wrong)
                log.warning("The Kubernetes credentials could not be renewed: %s", error)

    def _take_certificates(self) -> None:
        configuration = self._settings.configuration
        if configuration.cert_file:
            self._context.load_cert_chain(configuration.cert_file, keyfile=configuration.key_file)

    def _url(self, path: str) -> str:
        return str(self._settings.configuration.host) + path

    def _way(self) -> dict[str, Any]:
        configuration = self._settings.configuration
        return {
            "proxy": self._settings.proxy,
            "proxy_headers": configuration.proxy_headers,
            "server_hostname": configuration.tls_server_name,
        }

    async def _headers(self, kind: str = "") -> dict[str, str]:
        headers = {"Accept": "application/json", "User-Agent": "loom-weaver"}
        if kind:
            headers["Content-Type"] = kind
        bearer = (await self._settings.configuration.auth_settings()).get("BearerToken")
        if bearer:
            headers["Authorization"] = str(bearer["value"])
        return headers
