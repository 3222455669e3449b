"""What keeps a server from starting is said in a line."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.server.running import RunningServer, server_environment
from tests.small_disk import small_disk

StartServer = Callable[..., AbstractContextManager[RunningServer]]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk")


def serve_and_fail(data_dir: Path, own: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and stderr; `own` is for Jupyter's files."""
    command = [sys.executable, "-m", "loom_weaver.cli", "serve", "--data-dir", str(data_dir), *arguments]
    ended = subprocess.run(
        command, check=False, env=server_environment(own), cwd="/", capture_output=True, text=True, timeout=60
    )
    return ended.returncode, ended.stderr


def test_a_taken_port_is_an_error_of_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = serve_and_fail(tmp_path / "data", tmp_path / "own", "--port", str(port))
    assert code != 0
    assert str(port) in said
    assert "Traceback" not in said


def test_a_second_server_on_a_data_directory_says_why_not(start_server: StartServer, tmp_path: Path) -> None:
    with start_server() as server:
        code, said = serve_and_fail(server.data_dir, tmp_path / "own", "--port", "0")
        assert code != 0
        assert str(server.data_dir) in said
        assert "Traceback" not in said


@as_root
def test_a_read_only_data_directory_says_why_not(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, "8m"):
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        code, said = serve_and_fail(disk / "data", tmp_path / "own", "--port", "0")
    assert code != 0
    assert "read-only" in said.lower()
    assert "Traceback" not in said
