"""One weaver on disk and, while it lives, its holder: what the server knows of it."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loom_weaver.changes import Kind
from loom_weaver.errors import Conflict, RuntimeFailure, RuntimeTimeout
from loom_weaver.lifetime import expires_at, utc_now
from loom_weaver.runtimes.base import Viewer
from loom_weaver.runtimes.local.descendants import kill_marked, kill_process
from loom_weaver.runtimes.local.holder_client import HolderClient, Message, connect
from loom_weaver.runtimes.local.protocol import LOG
from loom_weaver.runtimes.local.record import Record, note, read_record, write_record
from loom_weaver.runtimes.local.stored import size_of, weaver_of
from loom_weaver.weaver import Weaver

if TYPE_CHECKING:
    from asyncio import Future

HOLDER_LOST = (
    "its process on this machine is gone (the machine or the container was restarted, or it was killed)"
)
# A holder that runs but does not answer, as one under SIGSTOP, is asked again.
SEARCH_SECONDS = 5.0
# Those who read a deleted weaver's log get its end, unless they take longer.
READERS_SECONDS = 5.0
ENDED = frozenset({"succeeded", "failed"})


class HeldWeaver:
    """Tells `on_change` of every change, in order; the last one is `deleted`."""

    def __init__(self, folder: Path, record: Record, on_change: Callable[[Kind, HeldWeaver], None]) -> None:
        self.folder = folder
        self.log_folder = str(folder / LOG)
        self.secret: str = record["secret"]
        self.epoch: str = record["epoch"]
        self.weaver: Weaver = weaver_of(record)
        self.size = size_of(record)
        """Of a terminal that has ended: its last, in columns and rows."""
        self.client: HolderClient | None = None
        self.viewers: dict[str, Viewer] = {}
        self.news_count = 0
        self.ended = False
        """Whether its holder is gone, so that its log can grow no more."""
        self._on_change = on_change
        self._news: Future[None] | None = None
        self._followers = 0
        self._removing: asyncio.Task[None] | None = None
        self._searching: asyncio.Task[None] | None = None
        self._settling: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        held = "held" if self.client else "alone"
        return f"<HeldWeaver {self.weaver.id} {self.weaver.status} {held} viewers={len(self.viewers)}>"

    async def hold(self, connection: socket.socket, request: dict[str, Any]) -> None:
        """Hand a new holder its request; returns once it took it, and before any of its news.

        Raises OSError for what kept it from making the weaver's folder.
        """
        client, answer = await HolderClient.open(connection, request, self._on_event, self._on_lost)
        if "errno" in answer:
            client.close()
            raise OSError(answer["errno"], os.strerror(answer["errno"]))
        self.client = client

    async def find_holder(self) -> None:
        """Connect to the holder that an earlier server left, or take the record for the last word."""
        hello = {"op": "control", "secret": self.secret}
        try:
            self.client, answer = await HolderClient.open(
                connect(self.folder), hello, self._on_event, self._on_lost
            )
            self._take(answer["record"])
        except RuntimeTimeout:
            self._searching = asyncio.create_task(self._search_again(), name=f"search for {self.weaver.id}")
        except (OSError, RuntimeFailure):
            await self._settle()

    async def terminate(self, seen: Weaver | None, reason: str) -> bool:
        """Begin its end; False where its lifetime is another than that of `seen`."""
        if self.ended or self.client is None:
            return await self._terminate_alone(seen, reason)
        try:
            answer = await self.client.request(
                "terminate", seen=seen.lifetime_hours if seen else None, reason=reason
            )
        except RuntimeTimeout:
            return await self._terminate_alone(seen, reason)
        except RuntimeFailure:
            # It ended by itself while it was asked.
            await self.until_ended()
            return await self._terminate_alone(seen, reason)
        if answer.get("error") == "changed":
            return False
        self.begin_removal()
        return True

    async def extend(self, lifetime_hours: int) -> None:
        """Raise Conflict where it has ended."""
        deadline = expires_at(self.weaver.created_at, lifetime_hours).timestamp()
        answer: Message = {"error": "ended"}
        if self.client is not None:
            # A holder that goes while it is asked has ended.
            with suppress(RuntimeFailure):
                answer = await self.client.request("extend", lifetime_hours=lifetime_hours, deadline=deadline)
        if "error" in answer:
            raise Conflict(
                "The weaver has ended or is ending, so its lifetime cannot change; create another one"
            )

    def resize(self, cols: int, rows: int) -> None:
        if self.client is not None:
            self.client.tell("resize", cols=cols, rows=rows)

    def follow(self) -> None:
        self._followers += 1
        if self._followers == 1 and self.client is not None:
            self.client.tell("follow", on=True)

    def unfollow(self) -> None:
        self._followers -= 1
        if self._followers == 0:
            if self.client is not None:
                self.client.tell("follow", on=False)
            self._wake()

    async def news(self, seen: int) -> None:
        """Wait until `news_count` is another than `seen`."""
        while self.news_count == seen:
            if self._news is None:
                self._news = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._news)

    async def until_over(self) -> None:
        """What became of it is known here."""
        while self.weaver.active and not self.ended:
            await self.news(self.news_count)

    async def until_ended(self) -> None:
        """Its holder's socket is closed, or will be."""
        while not self.ended:
            await self.news(self.news_count)

    async def _until_unread(self) -> None:
        while self._followers:
            await self.news(self.news_count)

    def begin_removal(self) -> None:
        """Remove it from disk once its holder is gone."""
        if self._removing is None:
            self._removing = asyncio.create_task(self._remove(), name=f"removal of {self.weaver.id}")

    async def close(self) -> None:
        """Let go without ending the weaver."""
        tasks = [task for task in (self._removing, self._searching, self._settling) if task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if self.client is not None:
            self.client.close()
            self.client = None

    def _on_event(self, message: Message) -> None:
        match message["event"]:
            case "state":
                self._take(message["record"])
            case "slow":
                if (viewer := self.viewers.get(message["viewer"])) is not None:
                    viewer.too_slow()
        self._wake()

    async def _terminate_alone(self, seen: Weaver | None, reason: str) -> bool:
        """Without the holder: it has ended, or does not answer and is killed."""
        if seen is not None and seen.lifetime_hours != self.weaver.lifetime_hours:
            return False
        record = await asyncio.to_thread(read_record, str(self.folder))
        note(record, utc_now().timestamp(), "Terminating", status="terminating", reason=reason, detail=None)
        await asyncio.to_thread(self._save, record)
        self._take(record)
        if not self.ended and record["holder"]:
            await asyncio.to_thread(kill_process, *record["holder"])
            await asyncio.to_thread(kill_marked, self.weaver.id)
        self.begin_removal()
        return True

    async def _search_again(self) -> None:
        await asyncio.sleep(SEARCH_SECONDS)
        await self.find_holder()

    def _on_lost(self) -> None:
        self.client = None
        self._settling = asyncio.create_task(self._settle(), name=f"end of {self.weaver.id}")

    async def _settle(self) -> None:
        """The holder is gone: what it last wrote down holds, unless it had not come to an end."""
        self.client = None
        self.ended = True
        try:
            record = await asyncio.to_thread(read_record, str(self.folder))
        except (OSError, ValueError):
            # Somebody removed its folder, and with it the weaver.
            await asyncio.to_thread(kill_marked, self.weaver.id)
            self.begin_removal()
            self._wake()
            return
        self._take(record)
        if self.weaver.status == "terminating":
            self.begin_removal()
        elif self.weaver.status not in ENDED:
            await asyncio.to_thread(kill_marked, self.weaver.id)
            lost = {"status": "failed", "reason": "HolderLost", "detail": HOLDER_LOST}
            note(record, utc_now().timestamp(), "HolderLost", **lost)
            await asyncio.to_thread(self._save, record)
            self._take(record)
        self._wake()

    def _save(self, record: Record) -> None:
        try:
            write_record(str(self.folder), record)
        except OSError:
            # A full disk: the next start finds the same and says the same.
            return

    def _take(self, record: Record) -> None:
        if record["version"] > self.weaver.version:
            self.weaver = weaver_of(record)
            self.size = size_of(record)
            self._on_change("modified", self)

    async def _remove(self) -> None:
        await self.until_ended()
        with suppress(TimeoutError):
            async with asyncio.timeout(READERS_SECONDS):
                await self._until_unread()
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)
        self._on_change("deleted", self)
        self._wake()

    def _wake(self) -> None:
        self.news_count += 1
        if self._news is not None:
            self._news.set_result(None)
            self._news = None
