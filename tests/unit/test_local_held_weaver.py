"""A weaver as the server holds it, against a holder that the test plays on the other end of a socket."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from uuid import uuid4

from loom_weaver.changes import Kind
from loom_weaver.lifetime import utc_now
from loom_weaver.models import Isolation
from loom_weaver.runtimes.local.held_weaver import HeldWeaver
from loom_weaver.runtimes.local.protocol import encode
from loom_weaver.runtimes.local.record import note
from loom_weaver.runtimes.local.stored import new_record
from loom_weaver.weaver import Weaver, WeaverSpec

PATIENCE = 30


async def test_nothing_happens_to_a_new_weaver_before_it_is_known_to_be_held(tmp_path: Path) -> None:
    """Not even where the holder's consent and its first news come in one read."""
    spec = WeaverSpec("weaver_a", str(uuid4()), str(uuid4()), "python", utc_now(), 24)
    record = new_record(Weaver.pending(spec, Isolation(kind="none", enforced=[])), 1024)
    told: list[tuple[Kind, str]] = []
    held = HeldWeaver(tmp_path, record, lambda kind, held: told.append((kind, held.weaver.status)))
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    running = {**record}
    note(running, utc_now().timestamp(), "Started", status="running")
    with theirs:
        theirs.sendall(encode({"ok": True}) + encode({"event": "state", "record": running}))
        await held.hold(ours, {"record": record})
        assert (told, held.weaver.status) == ([], "pending")
        async with asyncio.timeout(PATIENCE):
            await held.news(0)
        assert told == [("modified", "running")]
        await held.close()
