"""Coroutines begun without a task."""

from __future__ import annotations

import asyncio

import pytest

from loom_weaver_server.eager import begun


async def test_what_waits_for_nothing_is_done_at_once() -> None:
    done = []

    async def work() -> None:
        done.append(1)

    assert begun(work()) is None
    assert done == [1]


async def test_an_error_before_the_first_wait_is_raised_at_once() -> None:
    async def work() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        begun(work())


async def test_what_waits_goes_on_as_a_task() -> None:
    gates = [asyncio.get_running_loop().create_future() for _ in range(2)]
    steps = []

    async def work() -> None:
        for gate in gates:
            steps.append(await gate)
            await asyncio.sleep(0)

    rest = begun(work())
    assert rest is not None
    for number, gate in enumerate(gates):
        assert steps == list(range(number))
        gate.set_result(number)
        await asyncio.wait([rest], timeout=0.01)
    await rest
    assert steps == [0, 1]


async def test_an_error_after_a_wait_is_the_task_s() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise ValueError("late")

    rest = begun(work())
    assert rest is not None
    with pytest.raises(ValueError, match="late"):
        await rest


@pytest.mark.parametrize("waits", [0, 1])
async def test_a_cancelled_one_cleans_up(waits: int) -> None:
    cleaned = []

    async def work() -> None:
        try:
            for _ in range(waits):
                await asyncio.sleep(0)
            await asyncio.get_running_loop().create_future()
        finally:
            await asyncio.sleep(0)
            cleaned.append(1)

    rest = begun(work())
    assert rest is not None
    for _ in range(3 * waits):
        await asyncio.sleep(0)
    rest.cancel()
    with pytest.raises(asyncio.CancelledError):
        await rest
    assert cleaned == [1]


async def test_a_future_is_waited_for_as_it_is() -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    assert begun(future) is future
