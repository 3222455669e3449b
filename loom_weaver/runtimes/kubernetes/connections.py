"""A pool of connections to the API server, with refusals that keep what was said."""

from __future__ import annotations

import asyncio
import socket
import ssl
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import aiohttp
from kubernetes.aio.client import Configuration
from kubernetes.aio.client.rest import RESTClientObject

from loom_weaver.errors import RuntimeFailure, RuntimeTimeout, Unavailable
from loom_weaver.runtimes.kubernetes.errors import Refusal

# The other side may be frozen, or gone.
FAREWELL_SECONDS = 2.0
# An API server closes what is idle after 90 s, and who asks at that moment gets no answer.
KEPT_SECONDS = 60.0
VERBS = {"GET": "read", "POST": "create", "PATCH": "change", "DELETE": "delete"}


class HTTPRefusal(Exception):
    """A status of 400 and above, with the body that aiohttp would throw away after a refused upgrade."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.body = body


class Connections:
    """A pool of its own; all of them share one TLS context, which takes long to make."""

    def __init__(self, context: ssl.SSLContext, timeout: aiohttp.ClientTimeout, *, limit: int = 0) -> None:
        """At most `limit` at once; 0 for any number."""
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=limit, ssl=context, socket_factory=self._socket, keepalive_timeout=KEPT_SECONDS
            ),
            timeout=timeout,
            raise_for_status=_refuse,
        )

    async def close(self) -> None:
        """Returns when nothing is open any more: TLS says good-bye behind the back of who closes it."""
        await self.session.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                while any(each.fileno() >= 0 for each in self._sockets):  # noqa: ASYNC110 (nothing tells)
                    await asyncio.sleep(0.005)

    def _socket(self, address: Any) -> socket.socket:
        made = socket.socket(*address[:3])
        self._sockets.add(made)
        return made


def tls_context(configuration: Configuration) -> ssl.SSLContext:
    """As the library makes it of a configuration; blocks."""
    context: ssl.SSLContext = RESTClientObject(configuration).ssl_context
    return context


async def _refuse(response: aiohttp.ClientResponse) -> None:
    if response.status >= 400:
        raise HTTPRefusal(response.status, await response.read())


@contextmanager
def in_our_words(call: str) -> Iterator[None]:
    """What goes wrong on the way, as errors of the house that name the call and nothing internal."""
    try:
        yield
    except HTTPRefusal as error:
        raise Refusal(call, error.status, error.body) from error
    except TimeoutError as error:
        raise RuntimeTimeout(f"Kubernetes did not answer in time when asked to {call}") from error
    except aiohttp.WSServerHandshakeError as error:
        raise RuntimeFailure(f"Kubernetes did not open the connection to {call}") from error
    except (aiohttp.ClientError, OSError) as error:
        raise Unavailable(f"Kubernetes cannot be reached to {call}; try again in a moment") from error


def call_words(method: str, path: str) -> str:
    """`/api/v1/namespaces/n/pods/p/attach` -> `attach to a pod`, for the message of an error."""
    parts = path.strip("/").split("/")
    if len(parts) > 2 and parts[-1] in ("attach", "exec", "log"):
        return {"attach": "attach to a pod", "exec": "run a command in a pod", "log": "read a pod's log"}[
            parts[-1]
        ]
    kinds = [part for part in parts if part in ("pods", "secrets", "events", "namespaces")]
    return f"{VERBS.get(method, method)} {kinds[-1] if kinds else 'the API'}"
