"""A viewer of a local weaver hears of the end when the end is known."""

from __future__ import annotations

import time
from pathlib import Path

from loom_weaver.runtimes.local.protocol import SOCKET
from loom_weaver.runtimes.local.runtime import LocalRuntime
from tests.contract.probes import PATIENCE, House, ViewerProbe


class EndProbe(ViewerProbe):
    """Looks up the weaver's status at the moment it is told."""

    def __init__(self, house: House, weaver_id: str) -> None:
        super().__init__()
        self.house = house
        self.weaver_id = weaver_id
        self.status = ""

    def ended(self) -> None:
        self.status = self.house.runtime.get(self.weaver_id).status
        super().ended()


def block_until_gone(path: Path) -> None:
    """On the event loop, as other work does that keeps it busy."""
    deadline = time.monotonic() + PATIENCE
    while path.exists():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for {path} to go"


async def test_the_end_is_known_also_to_a_loop_that_finds_all_of_it_at_once(tmp_path: Path) -> None:
    runtime = LocalRuntime(data_dir=str(tmp_path), isolation_kind="none")
    await runtime.start()
    house = House(runtime)
    try:
        weaver_id = await house.sh("read line; exit 3")
        probe = EndProbe(house, weaver_id)
        async with house.view(weaver_id, probe=probe):
            await probe.type(b"\n")
            block_until_gone(tmp_path / "weavers" / weaver_id / SOCKET)
            assert await probe.end() == "ended"
            assert probe.status == "failed"
    finally:
        await house.delete_all()
        await runtime.stop()
