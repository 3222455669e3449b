"""A spare holder: one that waits for its weaver, with the terminal and the sandbox made that it will have.

Most of a weaver's start is done with that. A spare belongs to nobody: it ends with the server that had it
made, and its folder, which has no record, is removed like that of any weaver that was never begun.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loom_weaver.errors import RuntimeFailure, RuntimeTimeout
from loom_weaver.runtimes.local import file_tree
from loom_weaver.runtimes.local.descendants import kill_process
from loom_weaver.runtimes.local.held_weaver import HeldWeaver
from loom_weaver.runtimes.local.launcher import Launcher
from loom_weaver.runtimes.local.light_json import loads
from loom_weaver.runtimes.local.protocol import encode
from loom_weaver.runtimes.local.sandbox_plan import Plan

# A spare is made when nothing was created for so long: creates in a row need the processor themselves, and
# one that came while a spare is made would take longer than without any.
QUIET_SECONDS = 1.0
# As long as a holder waits for what makes its sandbox; a server that stops waits no longer either.
PATIENCE = 20.0
# A spare ends when its connection does, in far less than this.
ENDING_SECONDS = 5.0
LONGEST_ANSWER = 4096
# In a weaver's folder: its /etc/hosts, which a spare has before there is a name to be in it.
HOSTS = "hosts"
FAILURES = (OSError, RuntimeFailure, RuntimeTimeout, ValueError)

Log = logging.Logger | logging.LoggerAdapter[logging.Logger]
PlanOf = Callable[[Path], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Spare:
    folder: Path
    connection: socket.socket
    process: tuple[int, int]
    copies: list[tuple[str, int, int]]

    async def discard(self) -> None:
        """End it, whatever state it is in."""
        self.connection.close()
        await asyncio.to_thread(kill_process, *self.process)
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)


class Spares:
    """At most one at a time."""

    def __init__(
        self, launcher: Launcher, plan_of: PlanOf, make_folder: Callable[[Path], None], log: Log
    ) -> None:
        self._launcher = launcher
        self._plan_of = plan_of
        self._make_folder = make_folder
        self._log = log
        self._spare: Spare | None = None
        self._making: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False

    def start(self, parent: Path) -> None:
        self._parent = parent
        self._make_soon()

    async def stop(self) -> None:
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        if self._making is not None:
            # Let come to its end, so that it is known what there is to remove.
            await asyncio.wait([self._making])
        if self._spare is not None:
            spare, self._spare = self._spare, None
            await _until_ended(spare.connection)
            await asyncio.to_thread(shutil.rmtree, spare.folder, ignore_errors=True)

    async def hand_over(self, held: HeldWeaver, request: dict[str, Any]) -> bool:
        """Make the spare the holder of a weaver whose folder is not there yet; False where there is none.

        Raises OSError where that folder cannot be made.
        """
        spare = self._take(Plan(**request["plan"]))
        if spare is None:
            return False
        if spare.copies != file_tree.copies():
            await spare.discard()
            return False
        plan = {**request["plan"], "hosts": str(held.folder / HOSTS)}
        try:
            await held.hold(spare.connection, {**request, "plan": plan})
        except OSError:
            await spare.discard()
            raise
        except (RuntimeFailure, RuntimeTimeout) as error:
            self._log.warning("A spare holder did not take its weaver (%s); starting another", error)
            await spare.discard()
            await asyncio.to_thread(shutil.rmtree, held.folder, ignore_errors=True)
            return False
        return True

    def _take(self, plan: Plan) -> Spare | None:
        """The spare, for a plan that needs no other files than it has."""
        self._make_soon()
        if file_tree.workdir_folder(plan) is not None:
            return None
        spare, self._spare = self._spare, None
        return spare

    def _make_soon(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._stopped:
            return
        self._timer = asyncio.get_running_loop().call_later(QUIET_SECONDS, self._begin)

    def _begin(self) -> None:
        self._timer = None
        if self._spare is None and self._making is None:
            self._making = asyncio.create_task(self._make(), name="making a spare holder")

    async def _make(self) -> None:
        folder = self._parent / f"spare_{secrets.token_hex(8)}"
        try:
            self._spare = await self._made(folder)
        except FAILURES as error:
            # The next create tells what is wrong, to who can do something about it.
            self._log.debug("No spare holder: %s", error)
        finally:
            self._making = None

    async def _made(self, folder: Path) -> Spare:
        copies = await asyncio.to_thread(self._begun, folder)
        try:
            connection = await self._launcher.launch(folder)
            try:
                plan = {**self._plan_of(folder), "hosts": str(folder / HOSTS)}
                answer = await _ask(connection, {"folder": str(folder), "plan": plan})
            except BaseException:
                await _until_ended(connection)
                raise
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            raise
        pid, started = answer["process"]
        return Spare(folder, connection, (pid, started), copies)

    def _begun(self, folder: Path) -> list[tuple[str, int, int]]:
        self._make_folder(folder)
        return file_tree.copies()


async def _ask(connection: socket.socket, request: dict[str, Any]) -> dict[str, Any]:
    """The answer fits into one read; raises ConnectionError, or TimeoutError, where none comes."""
    loop = asyncio.get_running_loop()
    connection.setblocking(False)
    async with asyncio.timeout(PATIENCE):
        await loop.sock_sendall(connection, encode(request))
        answer = await loop.sock_recv(connection, LONGEST_ANSWER)
    if not answer:
        raise ConnectionResetError("it ended; its folder's holder.log would say why")
    told: dict[str, Any] = loads(answer)
    return told


async def _until_ended(connection: socket.socket) -> None:
    """A spare whose server has no more to say ends."""
    with connection, suppress(OSError):
        connection.setblocking(False)
        connection.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(ENDING_SECONDS):
            while await asyncio.get_running_loop().sock_recv(connection, LONGEST_ANSWER):
                pass
