"""A new weaver: made, waited for in words, entered, and perhaps deleted at its end."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from loom_weaver.cli.attaching import Manner, attach
from loom_weaver.cli.output import remark, say
from loom_weaver.cli.starts import SILENT_SECONDS, progress
from loom_weaver.cli.streaming import started
from loom_weaver.errors import LoomError, NotFound

if TYPE_CHECKING:
    from loom_weaver.client.async_client import AsyncClient
    from loom_weaver.client.fields import WeaverFields
    from loom_weaver.models import WeaverObject


async def create_and_attach(
    client: AsyncClient,
    image: str | None,
    fields: WeaverFields,
    detach_keys: bytes,
    *,
    detach: bool,
    remove: bool,
) -> int:
    """The exit code of its program; 0 when it goes on without us."""
    weaver = await client.create(image, **fields)
    if detach:
        say(weaver.id)
        return 0
    left = False
    try:
        code = await _entered(client, weaver, detach_keys)
        left = code is None
        return code or 0
    except BaseException:
        if not remove:
            remark(f"{weaver.id} goes on; `loom-weaver delete {weaver.id}` ends it")
        raise
    finally:
        if remove and left:
            remark(f"{weaver.id} is not deleted, as it goes on")
        elif remove:
            await asyncio.shield(_delete(client, weaver.id))


async def _delete(client: AsyncClient, weaver_id: str) -> None:
    try:
        await client.delete(weaver_id)
    except NotFound:
        return


async def _entered(client: AsyncClient, weaver: WeaverObject, detach_keys: bytes) -> int | None:
    telling = asyncio.create_task(_tell_progress(client, weaver))
    try:
        await started(client, weaver.id)
    finally:
        telling.cancel()
        await asyncio.wait([telling])
    if sys.stderr.isatty():
        remark(f"{weaver.id}; ctrl-p ctrl-q leaves it running")
    return await attach(client, weaver.id, Manner(detach_keys, types_end=True))


async def _tell_progress(client: AsyncClient, weaver: WeaverObject) -> None:
    """In words, as soon as they change; the start itself does not depend on it."""
    await asyncio.sleep(SILENT_SECONDS)
    told = ""
    try:
        async with client.events() as events:
            async for event in events:
                if event.weaver is not None and event.weaver.id == weaver.id:
                    words = progress(event.weaver)
                    if words != told:
                        remark(words)
                    told = words
    except LoomError:
        # `wait` fails for the same reason, and tells it.
        return
