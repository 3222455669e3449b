"""Streams over HTTP of a server on a cluster: it is killed under them, or their readers go away."""

from __future__ import annotations

import os
import socket
import struct
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from loom_weaver import Client
from loom_weaver.client import Attached, Output
from tests.client.conftest import TIMEOUTS
from tests.client.test_faults import COUNT, SCRIPT, Watched
from tests.kube_cluster import Kube
from tests.kubernetes.houses import serving_cluster
from tests.server.running import JUPYTER_TOKEN, PATIENCE, RunningServer, free_port, wait_for

pytestmark = pytest.mark.timeout(240)

READERS, ROUNDS = 200, 3
RESET = struct.pack("ii", 1, 0)


def test_streams_go_on_over_a_killed_server(kube: Kube, namespace: str, tmp_path: Path) -> None:
    """Each line once; the terminal's past comes from the log."""
    port = free_port()
    with serving_cluster(kube, namespace, tmp_path / "data", port=port) as first:
        client = Client(first.url, JUPYTER_TOKEN, timeouts=TIMEOUTS)
        weaver = client.create("shell", command=["sh", "-c", SCRIPT])
        watched = Watched(client, weaver.id)
        watched.wait_for(1)
        first.kill()
    with serving_cluster(kube, namespace, tmp_path / "data", port=port):
        watched.wait_for(2)
        watched.finish()
        client.close()
    lines = [f"n{number}" for number in range(1, COUNT + 1)]
    assert [line for line in watched.lines if line] == lines
    last = max(index for index, item in enumerate(watched.terminal) if isinstance(item, Attached))
    shown = b"".join(item.data for item in watched.terminal[last:] if isinstance(item, Output))
    assert shown.decode().split() == lines


def test_sse_4_readers_that_went_away_leave_nothing(kube: Kube, namespace: str, tmp_path: Path) -> None:
    """SSE-4: neither a descriptor nor a connection to the cluster, however they went."""
    with serving_cluster(kube, namespace, tmp_path / "data") as server, server.http() as http:
        client = Client(server.url, JUPYTER_TOKEN)
        weaver = client.create("shell", command=["sleep", "600"])
        client.wait(weaver.id, "running")
        client.close()
        _read(server, weaver.id, 1)
        wait_for(lambda: http.get("/health").status_code == 200, "an answer")
        before = _descriptors(server)
        for _ in range(ROUNDS):
            _read(server, weaver.id, READERS)
            wait_for(lambda: _descriptors(server) <= before, "the readers to be forgotten", 2 * PATIENCE)
        assert "Traceback" not in server.log()


def _read(server: RunningServer, weaver_id: str, count: int) -> None:
    """So many open log streams, each with its own follow of the log; half of them reset, half closed."""
    before = _descriptors(server)
    with ExitStack() as connections:
        for number in range(count):
            connection = connections.enter_context(_following(server, weaver_id))
            if number % 2:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        wait_for(lambda: _descriptors(server) >= before + 2 * count, "the logs to be followed")


def _following(server: RunningServer, weaver_id: str) -> socket.socket:
    place = urlsplit(server.url)
    connection = socket.create_connection((place.hostname, place.port), timeout=PATIENCE)
    head = f"GET {place.path}/api/weaver/{weaver_id}/logs HTTP/1.1\r\nHost: {place.netloc}\r\n"
    connection.sendall(f"{head}Authorization: token {JUPYTER_TOKEN}\r\n\r\n".encode())
    assert connection.recv(12) == b"HTTP/1.1 200"
    return connection


def _descriptors(server: RunningServer) -> int:
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))
