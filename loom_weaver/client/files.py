"""Files and folders, up and down. What is large goes through a file of its own, never through memory."""

from __future__ import annotations

import asyncio
import os
import secrets
import tarfile
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

from loom_weaver.client.retrying import retrying
from loom_weaver.client.transport import Transport, weaver_path
from loom_weaver.errors import BadRequest
from loom_weaver.tar_check import check_archive

TAR = "application/x-tar"
BYTES = "application/octet-stream"
PIECE = 256 * 1024
# An archive of this size stays in memory.
SMALL = 1024 * 1024
# Packing and unpacking at the other end come before the answer.
TIMEOUT = 300.0
# What an archive from the server may unpack to: far more than a server sends, and less than any number.
LARGEST_FOLDER = 64 * 1024**3


async def read_file(transport: Transport, weaver_id: str, path: str) -> bytes:
    response = await transport.call(
        "GET", weaver_path(weaver_id, "/files"), params=[("path", path)], timeout=TIMEOUT
    )
    if _is_tar(response.headers.get("Content-Type", "")):
        raise BadRequest(f"{path} is a folder: download it", field="path")
    return response.content


async def write_file(transport: Transport, weaver_id: str, path: str, data: bytes) -> None:
    await transport.call(
        "PUT",
        weaver_path(weaver_id, "/files"),
        params=[("path", path)],
        headers={"Content-Type": BYTES},
        content=lambda: data,
        timeout=TIMEOUT,
    )


async def upload(transport: Transport, weaver_id: str, local: Path, remote: str) -> None:
    is_folder = await asyncio.to_thread(local.is_dir)
    with tempfile.SpooledTemporaryFile(SMALL) if is_folder else await _opened(local) as body:
        if is_folder:
            await asyncio.to_thread(_pack, local, body)
        size = await asyncio.to_thread(body.seek, 0, os.SEEK_END)
        await transport.call(
            "PUT",
            weaver_path(weaver_id, "/files"),
            params=[("path", remote)],
            headers={"Content-Type": TAR if is_folder else BYTES, "Content-Length": str(size)},
            content=lambda: _pieces(body, size),
            timeout=TIMEOUT,
        )


async def download(transport: Transport, weaver_id: str, remote: str, local: Path) -> None:
    """A broken transfer is begun anew."""
    await retrying(lambda: _download(transport, weaver_id, remote, local), transport.timeouts.retry)


async def _download(transport: Transport, weaver_id: str, remote: str, local: Path) -> None:
    asked = transport.stream(
        "GET", weaver_path(weaver_id, "/files"), params=[("path", remote)], timeout=TIMEOUT
    )
    async with asked as response:
        if _is_tar(response.headers.get("Content-Type", "")):
            with tempfile.TemporaryFile() as archive:
                async for data in response.aiter_bytes(PIECE):
                    await asyncio.to_thread(archive.write, data)
                await asyncio.to_thread(_unpack, archive, local)
        else:
            await _store(response.aiter_bytes(PIECE), local)


async def _store(pieces: AsyncIterator[bytes], local: Path) -> None:
    """By rename: there is no half a file."""
    part = local.with_name(f".{local.name}.{secrets.token_hex(4)}.part")
    try:
        file = await asyncio.to_thread(part.open, "xb")
        with file:
            async for data in pieces:
                await asyncio.to_thread(file.write, data)
        await asyncio.to_thread(part.replace, local)
    finally:
        part.unlink(missing_ok=True)


async def _opened(local: Path) -> IO[bytes]:
    return await asyncio.to_thread(local.open, "rb")


async def _pieces(body: IO[bytes], size: int) -> AsyncIterator[bytes]:
    """As many bytes as were announced, from the start on."""
    await asyncio.to_thread(body.seek, 0)
    while size > 0:
        data = await asyncio.to_thread(body.read, min(PIECE, size))
        if not data:
            raise BadRequest("the file became shorter while it was read; try again", field="local")
        size -= len(data)
        yield data


def _pack(local: Path, archive: IO[bytes]) -> None:
    with tarfile.open(fileobj=archive, mode="w", dereference=False) as writer:
        for path in sorted(local.iterdir()):
            writer.add(path, arcname=path.name)


def _unpack(archive: IO[bytes], local: Path) -> None:
    """Nothing is unpacked before all of it has been looked at; the standard library looks once more."""
    archive.seek(0)
    check_archive(archive, LARGEST_FOLDER)
    archive.seek(0)
    local.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=archive, mode="r:") as reader:
        reader.extractall(local, filter="data")


def _is_tar(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == TAR
