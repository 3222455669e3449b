"""Weavers on this machine: each has a holder process of its own, and the server is a client of holders."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Collection
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

from traitlets import Bool, Dict, Enum, Int, Unicode

from loom_weaver.changes import ChangeLog, Kind
from loom_weaver.errors import BadRequest, Conflict, NotFound, RuntimeFailure, Unavailable
from loom_weaver.images import ImageReference, parse_image
from loom_weaver.models import Isolation, Resources
from loom_weaver.names import pod_name
from loom_weaver.runtimes import base
from loom_weaver.runtimes.local import host_paths, image_table, isolation
from loom_weaver.runtimes.local.attachment import HolderAttachment
from loom_weaver.runtimes.local.exec_process import open_exec
from loom_weaver.runtimes.local.held_weaver import HeldWeaver
from loom_weaver.runtimes.local.launcher import Launcher
from loom_weaver.runtimes.local.log_stream import batches
from loom_weaver.runtimes.local.record import Record, read_record, write_record
from loom_weaver.runtimes.local.recording import Recording
from loom_weaver.runtimes.local.sandbox_plan import KINDS, file_roots, home_path, tmp_path
from loom_weaver.runtimes.local.spares import Spares
from loom_weaver.runtimes.local.stored import new_record
from loom_weaver.weaver import Weaver, WeaverSpec

# Folders beside a weaver's record.
HOME, TMP = "work", "tmp"
# Logs that are read at the same moment, each for some milliseconds.
LOG_READS = 4
STARTING = "The runtime is starting; try again in a moment"


class LocalRuntime(base.Runtime):
    """Needs nothing but Linux and this Python."""

    data_dir = Unicode(help="Folder of the weavers: their records, logs, sockets and home directories.").tag(
        config=True
    )
    isolation_kind = Enum(
        ["auto", *KINDS],
        "auto",
        help="What keeps weavers in; `auto` takes the best that works here.",
    ).tag(config=True)
    images = Dict(
        help="Images beside the built-in ones: name -> {entrypoint: [...], cmd: [...], description: str}."
    ).tag(config=True)
    default_image = Unicode("python", help="The image offered first.").tag(config=True)
    log_bytes = Int(
        256 * 2**20, help="How much of each weaver's output is kept, in bytes; the oldest goes."
    ).tag(config=True)
    network = Bool(True, help="Whether weavers reach the network; Landlock can keep them from TCP only.").tag(
        config=True
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.changes = ChangeLog()
        self._weavers: dict[str, HeldWeaver] = {}
        self._log_reads = asyncio.Semaphore(LOG_READS)
        self._launcher = Launcher(self.log)
        self._spares = Spares(self._launcher, self._surroundings, _make_folder, self.log)
        self._table = image_table.table(self.images)
        self._kind = ""
        self._ready = False

    async def start(self) -> None:
        self._folder = Path(self.data_dir) / "weavers"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._readable = host_paths.python_folders()
        forced = None if self.isolation_kind == "auto" else self.isolation_kind
        self._kind = forced or (await asyncio.to_thread(isolation.probe)).kind
        self._launcher.start()
        await self._find_weavers()
        self._spares.start(self._folder)
        self._ready = True

    async def stop(self) -> None:
        self._ready = False
        await self._spares.stop()
        await asyncio.gather(*(held.close() for held in self._weavers.values()))
        await self._launcher.stop()

    @property
    def ready(self) -> bool:
        return self._ready

    def info(self) -> base.RuntimeInfo:
        images = {name: entry.description for name, entry in self._table.items()}
        return base.RuntimeInfo("local", self.default_image, images, self._isolation(None))

    def check_image(self, image: ImageReference) -> None:
        if image.name not in self._table:
            offered = ", ".join(sorted(self._table))
            raise BadRequest(f"{image.name} is not offered here; choose one of: {offered}", field="image")

    async def create(self, spec: WeaverSpec) -> Weaver:
        if not self._ready:
            raise Unavailable(STARTING)
        limits = spec.resources or Resources()
        weaver = Weaver.pending(spec, self._isolation(limits.memory()))
        starting = asyncio.create_task(self._start(spec, weaver), name=f"start of {spec.id}")
        try:
            await asyncio.shield(starting)
            return weaver
        except asyncio.CancelledError:
            # The start is let come to its end, so that it is known what there is to unmake.
            await asyncio.wait([starting])
            if starting.exception() is None:
                await starting.result().terminate(None, "CreateFailed")
            raise

    def get(self, weaver_id: str) -> Weaver:
        return self._held(weaver_id).weaver

    def list(self) -> Collection[Weaver]:
        return [held.weaver for held in self._weavers.values()]

    async def delete(self, weaver_id: str, *, seen: Weaver | None = None, reason: str = "Deleted") -> bool:
        held = self._held(weaver_id)
        return held.weaver.status != "terminating" and await held.terminate(seen, reason)

    async def extend(self, weaver_id: str, lifetime_hours: int) -> Weaver:
        held = self._held(weaver_id)
        await held.extend(lifetime_hours)
        return held.weaver

    @asynccontextmanager
    async def logs(
        self, weaver_id: str, start: base.LogStart, *, follow: bool
    ) -> AsyncIterator[AsyncIterator[base.LogBatch]]:
        held = self._held(weaver_id)
        async with aclosing(batches(held, start, self._log_reads, follow=follow)) as stream:
            yield stream

    async def attach(self, weaver_id: str, viewer: base.Viewer, start: base.ReplayStart) -> base.Attachment:
        held = self._held(weaver_id)
        try:
            return await HolderAttachment.open(held, viewer, start)
        except (ConnectionError, FileNotFoundError):
            # Its holder is going, or gone: what it has left is on disk once that is settled.
            await held.until_ended()
        return Recording(held, viewer, start)

    def resize(self, weaver_id: str, cols: int, rows: int) -> None:
        self._held(weaver_id).resize(cols, rows)

    @asynccontextmanager
    async def exec(self, weaver_id: str, spec: base.ExecSpec) -> AsyncIterator[base.ExecProcess]:
        held = self._held(weaver_id)
        if held.ended or held.weaver.status not in ("pending", "running"):
            raise Conflict(base.NOT_RUNNING)
        process = await open_exec(held, spec)
        try:
            yield process
        finally:
            await process.close()

    def file_roots(self, weaver_id: str) -> tuple[str, ...]:
        held = self._held(weaver_id)
        roots = file_roots(held.weaver.isolation.kind, str(held.folder / HOME))
        return (*roots, held.weaver.workdir) if held.weaver.workdir else roots

    def home(self, weaver_id: str) -> str:
        held = self._held(weaver_id)
        return held.weaver.workdir or home_path(held.weaver.isolation.kind, str(held.folder / HOME))

    def describe(self) -> dict[str, Any]:
        return {"isolation": self._kind, "weavers": len(self._weavers)}

    def _held(self, weaver_id: str) -> HeldWeaver:
        held = self._weavers.get(weaver_id)
        if held is None:
            raise NotFound(base.NO_SUCH_WEAVER)
        return held

    def _isolation(self, memory: int | None) -> Isolation:
        enforced = isolation.enforced(self._kind, memory_limit=memory is not None, network=self.network)
        return Isolation(kind=self._kind, enforced=enforced)

    async def _find_weavers(self) -> None:
        """A folder with a record is a weaver; one without was being made or removed when a server died."""
        records = await asyncio.to_thread(_read_records, self._folder)
        for folder, record in records:
            self._weavers[folder.name] = HeldWeaver(folder, record, self._on_change)
        await asyncio.gather(*(held.find_holder() for held in list(self._weavers.values())))

    def _on_change(self, kind: Kind, held: HeldWeaver) -> None:
        if kind == "deleted":
            del self._weavers[held.weaver.id]
        self.changes.publish(kind, held.weaver)

    async def _start(self, spec: WeaverSpec, weaver: Weaver) -> HeldWeaver:
        folder = self._folder / spec.id
        record = new_record(weaver, self.log_bytes)
        held = HeldWeaver(folder, record, self._on_change)
        try:
            argv = image_table.argv(self._table[parse_image(spec.image).name], spec.command, spec.args)
            request = {
                "folder": str(folder),
                "record": record,
                "plan": self._plan(spec, folder),
                "argv": argv,
            }
            if not await self._spares.hand_over(held, request):
                await asyncio.to_thread(_make_recorded_folder, folder, record)
                await held.hold(await self._launcher.launch(folder), request)
        except BaseException as error:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            if isinstance(error, OSError):
                raise RuntimeFailure("the weaver's folder or process could not be made") from error
            raise
        # Nothing is waited for between `hold` and here, so no news of it comes before these.
        self._weavers[spec.id] = held
        self.changes.publish("added", weaver)
        return held

    def _plan(self, spec: WeaverSpec, folder: Path) -> dict[str, Any]:
        limits = spec.resources or Resources()
        cpu = limits.cpu()
        plan = self._surroundings(folder)
        own = image_table.environment(home_path(self._kind, plan["home"]), tmp_path(self._kind, plan["tmp"]))
        return {
            **plan,
            "hostname": pod_name(spec.id),
            "workdir": spec.workdir,
            "memory_limit": limits.memory(),
            "cpu_limit": float(cpu) if cpu else None,
            "env": {**own, "LOOM_WEAVER_ID": spec.id, **spec.env},
        }

    def _surroundings(self, folder: Path) -> dict[str, Any]:
        """What every weaver has, and a spare before it is one."""
        return {
            "kind": self._kind,
            "home": str(folder / HOME),
            "tmp": str(folder / TMP),
            "hostname": "loom-weaver",
            "network": self.network,
            "readable": self._readable,
            "hidden": [self.data_dir],
            "env": {},
        }


def _make_folder(folder: Path) -> None:
    for path in (folder, folder / HOME, folder / TMP):
        path.mkdir(mode=0o700)


def _make_recorded_folder(folder: Path, record: Record) -> None:
    _make_folder(folder)
    write_record(str(folder), record)


def _read_records(parent: Path) -> list[tuple[Path, Record]]:
    records = []
    for folder in parent.iterdir():
        try:
            records.append((folder, read_record(str(folder))))
        except (FileNotFoundError, ValueError):
            shutil.rmtree(folder, ignore_errors=True)
    return records
