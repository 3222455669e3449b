"""Anybody on the machine may connect to a holder; without the secret that changes nothing for the weaver."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from loom_weaver.runtimes.local.launcher import short_path
from loom_weaver.runtimes.local.runtime import LocalRuntime
from tests.contract.probes import PATIENCE, House


def closed_after(folder: Path, data: bytes) -> bool:
    """Whether the holder closes a connection on which it got `data`."""
    with socket.socket(socket.AF_UNIX) as connection, short_path(folder) as path:
        connection.settimeout(PATIENCE)
        connection.connect(path)
        try:
            connection.sendall(data)
            return connection.recv(1) == b""
        except (BrokenPipeError, ConnectionResetError):
            return True


@pytest.mark.parametrize(
    "data",
    [
        b"5\n",
        b"[1]\n",
        b"null\n",
        b"{}\n",
        b'{"op": "control"}\n',
        b'{"op": "control", "secret": 5}\n',
        b'{"op": "control", "secret": ""}\n',
        b'{"op": "control", "secret": "\\ud800"}\n',
        b'{"op": "control", "secret": "' + b"0" * 64 + b'"}\n',
        b"no JSON\n",
        b"\xff\n",
        b"[" * 1_000_000 + b"\n",
        b"x" * (2 * 1024 * 1024 + 1),
    ],
    ids=lambda data: repr(data[:40]),
)
async def test_a_stranger_is_turned_away_and_the_weaver_goes_on(tmp_path: Path, data: bytes) -> None:
    runtime = LocalRuntime(data_dir=str(tmp_path), isolation_kind="none")
    await runtime.start()
    house = House(runtime)
    try:
        weaver_id = await house.sh("sleep 600")
        await house.until(weaver_id, "running")
        assert closed_after(tmp_path / "weavers" / weaver_id, data)
        assert (await house.exec(weaver_id, "echo", "still here")).stdout == b"still here\n"
    finally:
        await house.delete_all()
        await runtime.stop()
