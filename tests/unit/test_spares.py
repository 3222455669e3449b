"""Holders that are there before their weavers: what becomes of them, with real processes."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from loom_weaver.names import pod_name
from loom_weaver.runtimes.local.runtime import LocalRuntime
from tests.contract.probes import House, eventually
from tests.sandboxes import Sandboxes
from tests.server.running import PATIENCE, RunningServer, serving, wait_for

pytestmark = pytest.mark.timeout(180)


def spares_in(data_dir: Path) -> list[Path]:
    return list((data_dir / "weavers").glob("spare_*"))


def holders_of(folder: Path) -> list[int]:
    """The processes that write that folder's holder.log, which only holders do."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.readlink(process / "fd" / "2") == str(folder / "holder.log"):
                found.append(int(process.name))
    return found


async def a_spare(data_dir: Path) -> Path:
    """One whose process is there, though it may not be ready yet."""

    def ready() -> list[Path]:
        return [folder for folder in spares_in(data_dir) if holders_of(folder)]

    await eventually(lambda: bool(ready()), "a spare holder")
    return ready()[0]


async def made_of_a_spare(house: House, data_dir: Path, **fields: object) -> str:
    """A weaver whose folder was a spare's."""
    async with asyncio.timeout(PATIENCE):
        while True:
            spare = (await a_spare(data_dir)).stat().st_ino
            weaver_id = await house.sh("read _", **fields)
            if (data_dir / "weavers" / weaver_id).stat().st_ino == spare:
                return weaver_id
            await house.runtime.delete(weaver_id)
            await house.gone(weaver_id)


@asynccontextmanager
async def open_house(data_dir: Path) -> AsyncIterator[House]:
    """Nothing may be left of it."""
    runtime = LocalRuntime(data_dir=str(data_dir))
    house = House(runtime)
    await runtime.start()
    try:
        yield house
    finally:
        await house.delete_all()
        await runtime.stop()
    assert list((data_dir / "weavers").iterdir()) == []


def test_a_sandbox_that_was_there_before_its_weaver(sandboxes: Sandboxes) -> None:
    later = {"env": {"A": "of the weaver", "PATH": "/usr/bin:/bin"}, "hostname": "loom-weaver-later"}
    workdir = f"{sandboxes.inside_home}/project"
    show = ["sh", "-c", "echo $A; pwd; ulimit -d; cat /proc/self/status | grep CapEff"]
    done = sandboxes.run(
        show, hosts=str(sandboxes.home / "hosts"), later={**later, "workdir": workdir, "memory_limit": 2**30}
    )
    assert done[0]["output"] == f"of the weaver\n{workdir}\n{2**20}\nCapEff:\t0000000000000000\n"


def test_a_name_that_comes_later_under_bubblewrap(bubblewrap: Sandboxes) -> None:
    show = [
        "sh",
        "-c",
        "hostname; grep -c loom-weaver-test /etc/hosts; grep later /etc/hosts; echo >> /etc/hosts",
    ]
    done = bubblewrap.run(
        show, show, hosts=str(bubblewrap.home / "hosts"), later={"hostname": "loom-weaver-later"}
    )
    for step in done:
        assert step["output"].startswith("loom-weaver-later\n0\n127.0.1.1\tloom-weaver-later\n")
        assert "Read-only file system" in step["output"]


async def test_a_spare_becomes_the_weaver_that_is_asked_for(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        weaver_id = await made_of_a_spare(house, tmp_path, env={"A": "b"})
        weaver = await house.until(weaver_id, "running")
        script = "echo $A $LOOM_WEAVER_ID; hostname; echo kept > ~/file"
        seen = await house.exec(weaver_id, "sh", "-c", script)
        words = seen.stdout.decode().split()
        assert words[:2] == ["b", weaver_id]
        if weaver.isolation.kind == "bubblewrap":
            assert words[2] == pod_name(weaver_id)
        assert (tmp_path / "weavers" / weaver_id / "work" / "file").read_text() == "kept\n"


async def test_a_spare_that_was_killed_is_not_missed(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        for pid in holders_of(await a_spare(tmp_path)):
            os.kill(pid, signal.SIGKILL)
        assert (await house.over(await house.sh("exit 7"))).exit_code == 7


async def test_a_workdir_that_no_spare_has(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        spare = (await a_spare(tmp_path)).stat().st_ino
        weaver_id = await house.sh("read _", workdir="/app")
        assert (tmp_path / "weavers" / weaver_id).stat().st_ino != spare


@pytest.mark.parametrize("end", [RunningServer.stop, RunningServer.kill])
def test_no_spare_outlives_its_server(tmp_path: Path, end: Callable[[RunningServer], object]) -> None:
    with serving(tmp_path / "data") as server:

        def waiting() -> list[int]:
            return [pid for folder in spares_in(server.data_dir) for pid in holders_of(folder)]

        pids = wait_for(waiting, "a spare holder")
        end(server)
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "it to end")
