"""A WebSocket over TLS, whose bytes go through Tornado's stream."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tornado.iostream import IOStream
from tornado.tcpserver import TCPServer

from loom_weaver_server.stream_transport import StreamTransport
from loom_weaver_server.websocket import WebSocket, WebSockets

BINARY, CLOSE, PING, PONG = 0x2, 0x8, 0x9, 0xA
PATIENCE = 20


class Echo:
    """Sends back what it gets, and notes what happens."""

    def __init__(self, websocket: WebSocket) -> None:
        self.websocket = websocket
        self.full = 0
        self.drained = asyncio.Event()
        self.closed = asyncio.Event()

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        if message == b"wait":
            return self.drained.wait()  # type: ignore[return-value]
        self.websocket.send_bytes(message if isinstance(message, bytes) else message.encode())
        return None

    def on_full(self) -> None:
        self.full += 1

    def on_drained(self) -> None:
        self.drained.set()

    def on_visit(self) -> None: ...

    def on_close(self) -> None:
        self.closed.set()


class Server(TCPServer):
    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(ssl_options=context)
        self.sockets = WebSockets()
        self.echo: asyncio.Future[Echo] = asyncio.get_running_loop().create_future()

    def handle_stream(self, stream: IOStream, address: tuple[str, int]) -> None:
        websocket = WebSocket(self.sockets, logging.getLogger(__name__))
        echo = Echo(websocket)
        websocket.listen(echo)
        StreamTransport(stream, websocket)
        self.echo.set_result(echo)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificate and key of `localhost`, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "localhost.pem"
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(made.public_bytes(encoding) + private)
    return file


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, opcode: int, payload: bytes) -> None:
        """With a mask of zeros, which changes nothing."""
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, len(payload))
        if opcode & 0x8:
            head = struct.pack("!BB", 0x80 | opcode, 0x80 | len(payload))
        self.writer.write(head + bytes(4) + payload)
        await self.writer.drain()

    async def receive(self) -> tuple[int, bytes]:
        first, length = await self._exactly(2)
        if length == 126:
            (length,) = struct.unpack("!H", await self._exactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await self._exactly(8))
        return first & 0x0F, await self._exactly(length)

    async def _exactly(self, size: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(size), PATIENCE)


@asynccontextmanager
async def connected(certificate: Path) -> AsyncIterator[tuple[Client, Echo]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = Server(context)
    server.listen(0, "127.0.0.1")
    (listening,) = server._sockets.values()
    trusting = ssl.create_default_context(cafile=str(certificate))
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", listening.getsockname()[1], ssl=trusting, server_hostname="localhost"
    )
    try:
        yield Client(reader, writer), await asyncio.wait_for(server.echo, PATIENCE)
    finally:
        writer.close()
        server.stop()
        await server.sockets.stop()


async def test_messages_pass_both_ways(certificate: Path) -> None:
    async with connected(certificate) as (client, _):
        for payload in (b"", b"a", os.urandom(70_000)):
            await client.send(BINARY, payload)
            assert await client.receive() == (BINARY, payload)
        await client.send(PING, b"x")
        assert await client.receive() == (PONG, b"x")


async def test_a_slow_reader_is_noticed_and_gets_everything(certificate: Path) -> None:
    pieces = [os.urandom(1_000_000) for _ in range(12)]
    async with connected(certificate) as (client, echo):
        for piece in pieces:
            echo.websocket.send_bytes(piece)
        assert echo.full == 1
        assert echo.websocket.full
        assert [await client.receive() for _ in pieces] == [(BINARY, piece) for piece in pieces]
        await asyncio.wait_for(echo.drained.wait(), PATIENCE)
        assert not echo.websocket.full


async def test_input_that_has_to_wait_is_not_lost(certificate: Path) -> None:
    async with connected(certificate) as (client, echo):
        await client.send(BINARY, b"wait")
        await client.send(BINARY, b"behind")
        echo.drained.set()
        assert await client.receive() == (BINARY, b"behind")


async def test_the_server_closes(certificate: Path) -> None:
    async with connected(certificate) as (client, echo):
        echo.websocket.close(4409, "over")
        assert echo.closed.is_set()
        assert await client.receive() == (CLOSE, struct.pack("!H", 4409) + b"over")
        await client.send(CLOSE, struct.pack("!H", 4409))
        assert await client.reader.read() == b""


async def test_the_client_closes(certificate: Path) -> None:
    async with connected(certificate) as (client, echo):
        await client.send(CLOSE, struct.pack("!H", 1000))
        assert await client.receive() == (CLOSE, struct.pack("!H", 1000))
        await asyncio.wait_for(echo.closed.wait(), PATIENCE)
        assert await client.reader.read() == b""


async def test_the_client_vanishes(certificate: Path) -> None:
    async with connected(certificate) as (client, echo):
        client.writer.transport.abort()
        await asyncio.wait_for(echo.closed.wait(), PATIENCE)
