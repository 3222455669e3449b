"""Many commands, each in a weaver of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence

from loom_weaver.client.async_weaver import AsyncWeaver
from loom_weaver.client.fields import checked_command
from loom_weaver.client.items import LogGap, LogItem, MapResult
from loom_weaver.client.retrying import completed
from loom_weaver.errors import LoomError, TooManyWeavers

# What is kept of a command's output, in characters.
LARGEST_OUTPUT = 1024 * 1024
Commands = Iterable[Sequence[str]]


class Batch:
    """Runs `commands`, `parallel` at a time. `weaver` makes one, not yet created, for a command."""

    def __init__(self, weaver: Callable[[list[str]], AsyncWeaver], commands: Commands, parallel: int) -> None:
        if parallel < 1:
            raise ValueError("parallel must be at least 1")
        self._weaver = weaver
        self._commands: Iterator[tuple[int, list[str]]] = enumerate(map(checked_command, commands))
        self._parallel = parallel
        self._results: asyncio.Queue[MapResult | BaseException | None] = asyncio.Queue(parallel)
        self._running = 0
        self._one_ended = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Batch running={self._running} parallel={self._parallel}>"

    async def results(self) -> AsyncGenerator[MapResult, None]:
        workers = [asyncio.create_task(self._work(), name="commands of a map") for _ in range(self._parallel)]
        try:
            ended = 0
            while ended < len(workers):
                result = await self._results.get()
                if isinstance(result, BaseException):
                    raise result
                if result is None:
                    ended += 1
                else:
                    yield result
        finally:
            for worker in workers:
                worker.cancel()
            await completed(_all_ended(workers))

    async def _work(self) -> None:
        try:
            for index, command in self._commands:
                await self._results.put(await self._run(index, command))
        except Exception as error:  # noqa: BLE001 - raised where the results are read
            await self._results.put(error)
        await self._results.put(None)

    async def _run(self, index: int, command: list[str]) -> MapResult:
        """Where the quota is used up, wait for a weaver of this very batch to make place, if there is one."""
        while True:
            self._one_ended.clear()
            try:
                return await self._run_now(index, command)
            except TooManyWeavers as error:
                if not self._running:
                    return MapResult(index, tuple(command), error=error)
                await self._place(error.retry_after)
            except LoomError as error:
                return MapResult(index, tuple(command), error=error)

    async def _place(self, seconds: float) -> None:
        """Until one of these weavers has made place, or a while has passed."""
        try:
            async with asyncio.timeout(seconds):
                await self._one_ended.wait()
        except TimeoutError:
            return

    async def _run_now(self, index: int, command: list[str]) -> MapResult:
        self._running += 1
        try:
            async with self._weaver(command) as weaver:
                return await _ended(weaver, index, command)
        finally:
            self._running -= 1
            self._one_ended.set()


async def _ended(weaver: AsyncWeaver, index: int, command: list[str]) -> MapResult:
    kept = KeptOutput()
    async with weaver.logs() as logs:
        while items := await logs.batch():
            kept.take(items)
        end = logs.end
    return MapResult(
        index,
        tuple(command),
        weaver_id=weaver.id,
        exit_code=end.exit_code if end else None,
        reason=end.reason if end else None,
        output=kept.text,
        truncated=kept.truncated,
    )


class KeptOutput:
    """The end of a log, of a bounded size."""

    def __init__(self, largest: int = LARGEST_OUTPUT) -> None:
        self._largest = largest
        self._lines: deque[str] = deque()
        self._size = 0
        self.truncated = False

    def __repr__(self) -> str:
        return f"<KeptOutput {self._size} characters truncated={self.truncated}>"

    @property
    def text(self) -> str:
        return "\n".join(self._lines)

    def take(self, items: Iterable[LogItem]) -> None:
        for item in items:
            if isinstance(item, LogGap):
                self.truncated = True
                continue
            self._lines.append(item.text[-self._largest :])
            self._size += len(self._lines[-1]) + 1
            while self._size > self._largest and len(self._lines) > 1:
                self.truncated = True
                self._size -= len(self._lines.popleft()) + 1


async def _all_ended(workers: list[asyncio.Task[None]]) -> None:
    await asyncio.gather(*workers, return_exceptions=True)
