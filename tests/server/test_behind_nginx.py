"""Streams and terminals behind a proxy that buffers, and cuts what is silent."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.server.log_streams import following
from tests.server.running import Person, RunningServer, free_port, wait_for
from tests.server.terminals import attached, shell

Create = Callable[..., dict[str, Any]]
# nginx' own is 60 s. Within 30 s each WebSocket is pinged, and each stream has had a comment.
SILENCE_ALLOWED = 35
SILENCE = 40
CONFIG = """\
daemon off;
error_log stderr;
pid {folder}/nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://{upstream};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $http_connection;
            proxy_read_timeout {silence}s;
        }}
    }}
}}
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed"),
]


@pytest.fixture
def proxied(server: RunningServer, tmp_path: Path) -> Iterator[RunningServer]:
    """The server as nginx shows it."""
    port, upstream = free_port(), urlsplit(server.url).netloc
    config = tmp_path / "nginx.conf"
    config.write_text(CONFIG.format(folder=tmp_path, port=port, upstream=upstream, silence=SILENCE_ALLOWED))
    with subprocess.Popen(["nginx", "-p", tmp_path, "-c", config]) as nginx:
        shown = replace(server, url=server.url.replace(upstream, f"127.0.0.1:{port}"))
        try:
            wait_for(lambda: _answers(shown.url), "nginx")
            yield shown
        finally:
            nginx.terminate()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").status_code == 200
    except httpx.TransportError:
        return False


async def test_sse_2_and_term_12_nothing_is_held_back_and_silence_cuts_nothing(
    proxied: RunningServer, owner: Person, create: Create
) -> None:
    weaver = shell(create, f"echo one; sleep {SILENCE}; echo two; exec sh")
    with proxied.http(f"Bearer {owner.key}") as http:
        reading = asyncio.create_task(asyncio.to_thread(read, replace(owner, http=http), weaver))
        async with attached(proxied, owner, weaver) as terminal:
            await terminal.until(b"one\r\n")
            await asyncio.wait_for(terminal.socket.recv(), SILENCE + 30)
            await terminal.type(b"echo $((40 + 2)); exit\n")
            await terminal.until(b"42\r\n")
        await reading


def read(person: Person, weaver: str) -> None:
    """The first line comes although nothing follows it for long; the second on the same stream."""
    with following(person, weaver, "timestamps=false") as events:
        assert next(events).data == "one"
        assert next(events).data == "two"
