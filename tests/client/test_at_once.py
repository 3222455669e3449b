"""Keys and output that do not wait for their turn: none is lost, doubled, or out of order."""

from __future__ import annotations

from itertools import cycle

from loom_weaver import AsyncClient
from loom_weaver.client.items import Output

LINES = 30_000
# How much of a message is taken at most: a piece, nothing, all.
APPETITES = (1, 0, 7, 1000, 1 << 22)
PROGRAM = f"stty -echo; echo ready; read line; echo got $line; seq {LINES}"


class Taker:
    def __init__(self) -> None:
        self.taken: list[Output] = []
        self.begins = False
        self._appetites = cycle(APPETITES)

    def __call__(self, output: Output) -> int:
        data = output.data[: next(self._appetites)] if self.begins else b""
        if data:
            self.taken.append(Output(data, output.offset, live=output.live))
        return len(data)


async def test_what_is_taken_and_what_is_left_are_the_whole(async_client: AsyncClient) -> None:
    taker, items = Taker(), []
    async with (
        async_client,
        async_client.weaver("shell", command=["sh", "-c", PROGRAM]) as weaver,
        weaver.attach() as terminal,
    ):
        terminal.taker = taker
        async for item in terminal:
            if isinstance(item, Output):
                items.append(item)
            if not taker.begins and b"ready" in b"".join(each.data for each in items):
                taker.begins = True
                assert terminal.send_at_once(b"keys\n")
    outputs = sorted(items + taker.taken, key=lambda output: output.offset)
    end = 0
    for output in outputs:
        assert output.offset == end
        end += len(output.data)
    said = ["ready", "got keys", *map(str, range(1, LINES + 1))]
    assert b"".join(output.data for output in outputs).decode().split() == " ".join(said).split()
    assert taker.taken
    assert len(items) > 1


async def test_nothing_is_typed_where_nothing_is_connected(async_client: AsyncClient) -> None:
    async with async_client, async_client.weaver("shell") as weaver:
        terminal = weaver.attach()
        assert not terminal.send_at_once(b"lost\n")
        async with terminal:
            assert terminal.send_at_once(b"exit 3\n")
            async for _ in terminal:
                pass
        assert terminal.exit is not None
        assert terminal.exit.code == 3
        assert not terminal.send_at_once(b"lost\n")
