"""The house opens once, says why where it cannot, and leaves nothing behind."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from loom_weaver.errors import RuntimeFailure, Unavailable
from loom_weaver.runtimes.memory import MemoryRuntime
from loom_weaver_server.house import STARTING, STOPPING, House


class BrokenRuntime(MemoryRuntime):
    """Finds no machine to run on."""

    async def start(self) -> None:
        raise RuntimeFailure("there is no machine")


class FaultyRuntime(MemoryRuntime):
    """Holds a mistake of its author."""

    async def start(self) -> None:
        raise ZeroDivisionError


def house(data_dir: Path, runtime: type[MemoryRuntime] = MemoryRuntime) -> House:
    return House(lambda: runtime, str(data_dir))


def is_locked(data_dir: Path) -> bool:
    with (data_dir / "server.lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


async def test_from_starting_to_stopping(tmp_path: Path) -> None:
    one = house(tmp_path)
    with pytest.raises(Unavailable, match=STARTING):
        one.require_open()
    await one.open()
    one.require_open()
    assert one.is_ready
    assert repr(one) == "<House open>"
    assert is_locked(tmp_path)
    assert REGISTRY.get_sample_value("loom_weaver_weavers", {"status": "running"}) == 0
    await one.aclose()
    with pytest.raises(Unavailable, match=STOPPING):
        one.require_open()
    assert not is_locked(tmp_path)
    assert REGISTRY.get_sample_value("loom_weaver_weavers", {"status": "running"}) is None


async def test_a_data_directory_has_one_server(tmp_path: Path) -> None:
    first, second = house(tmp_path), house(tmp_path)
    assert not first.failed
    assert second.failed
    await second.open()
    with pytest.raises(Unavailable, match="another server uses the data directory"):
        second.require_open()
    await second.aclose()
    await first.aclose()
    third = house(tmp_path)
    assert not third.failed
    await third.aclose()


async def test_a_runtime_that_cannot_start(tmp_path: Path) -> None:
    one = house(tmp_path, BrokenRuntime)
    await one.open()
    assert one.failed
    with pytest.raises(Unavailable, match="there is no machine"):
        one.require_open()
    assert not is_locked(tmp_path)
    await one.aclose()


async def test_a_mistake_is_not_hidden(tmp_path: Path) -> None:
    one = house(tmp_path, FaultyRuntime)
    with pytest.raises(ZeroDivisionError):
        await one.open()
    with pytest.raises(Unavailable, match="the server's log says why"):
        one.require_open()
    assert not is_locked(tmp_path)


async def test_a_data_directory_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    one = house(tmp_path / "file" / "data")
    with pytest.raises(Unavailable, match="cannot be made"):
        one.require_open()
    await one.aclose()
