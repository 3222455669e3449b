"""Whether a peer is still there, by what the kernel counts."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator

import pytest

from loom_weaver_server.tcp import TCP_INFO, Pulse, TcpState, parse, state_of
from tests.server.running import wait_for

ESTABLISHED, CLOSE, CLOSE_WAIT = 1, 7, 8


def state(**known: int) -> TcpState:
    fields = {
        "state": ESTABLISHED,
        "retransmits": 0,
        "probes": 0,
        "unacked": 0,
        "last_ack_ms": 0,
        "acked_bytes": 0,
        "unsent_bytes": 0,
    }
    return TcpState(**{**fields, **known})


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    with near, far:
        yield near, far


def wait_state(connection: socket.socket, **wanted: int) -> None:
    wait_for(lambda: _fits(connection, wanted), f"the kernel to say {wanted}")


def _fits(connection: socket.socket, wanted: dict[str, int]) -> bool:
    found = state_of(connection)
    return found is not None and all(getattr(found, name) == value for name, value in wanted.items())


def test_what_the_kernel_says_of_a_live_peer(pair: tuple[socket.socket, socket.socket]) -> None:
    near, _ = pair
    near.sendall(b"x" * 1000)
    wait_state(near, state=ESTABLISHED, unacked=0, unsent_bytes=0)
    found = state_of(near)
    assert found is not None
    assert not found.gone
    assert not found.backlog
    # The handshake counts as one.
    assert found.acked_bytes == 1001


def test_what_the_kernel_says_of_a_peer_that_does_not_read(pair: tuple[socket.socket, socket.socket]) -> None:
    near, _ = pair
    near.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            near.send(b"x" * 65536)
    found = state_of(near)
    assert found is not None
    assert found.backlog
    assert not found.gone


def test_what_the_kernel_says_of_a_peer_that_closed(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    far.close()
    wait_state(near, state=CLOSE_WAIT)
    found = state_of(near)
    assert found is not None
    assert found.gone


def test_where_there_is_no_tcp_nothing_is_known() -> None:
    near, far = socket.socketpair()
    with near, far:
        assert state_of(near) is None
    assert parse(b"\1" * (TCP_INFO.size - 1)) is None


@pytest.mark.parametrize(
    ("known", "gone"),
    [
        ({}, False),
        ({"state": CLOSE}, True),
        ({"state": CLOSE_WAIT}, True),
        ({"unacked": 5, "last_ack_ms": 60_000}, False),
        ({"unacked": 5, "retransmits": 3, "last_ack_ms": 19_000}, False),
        ({"unacked": 5, "retransmits": 3, "last_ack_ms": 21_000}, True),
        ({"retransmits": 3, "last_ack_ms": 21_000}, False),
        ({"unsent_bytes": 5, "probes": 6, "last_ack_ms": 100_000}, False),
        ({"unsent_bytes": 5, "probes": 7}, True),
    ],
)
def test_a_peer_is_gone(known: dict[str, int], gone: bool) -> None:
    assert state(**known).gone is gone


class Kernel:
    """Answers as the kernel would."""

    def __init__(self) -> None:
        self.acked = 0
        self.unsent = 0

    def getsockopt(self, level: int, option: int, size: int, /) -> bytes:
        info = bytearray(size)
        info[0] = ESTABLISHED
        struct.pack_into("=Q", info, 120, self.acked)
        struct.pack_into("=I", info, 144, self.unsent)
        return bytes(info)


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


@pytest.fixture
def pulse(kernel: Kernel) -> Pulse:
    pulse = Pulse()
    pulse.connection = kernel
    return pulse


def stopped_after(pulse: Pulse, rounds: int, *, backlog: bool = False, deaf: bool = False) -> list[bool]:
    return [pulse.stopped(backlog=backlog, deaf=deaf) for _ in range(rounds)]


def test_a_peer_that_answers_no_ping_is_given_up(pulse: Pulse, kernel: Kernel) -> None:
    """Its kernel acknowledges them all the same."""
    found = []
    for _ in range(3):
        kernel.acked += 2
        found += stopped_after(pulse, 1)
    assert found == [False, False, True]


def test_a_word_from_the_peer_counts(pulse: Pulse) -> None:
    stopped_after(pulse, 2)
    pulse.heard = True
    assert stopped_after(pulse, 3) == [False, False, False]
    assert stopped_after(pulse, 1) == [True]


def test_a_slow_reader_lives_while_it_takes_something(pulse: Pulse, kernel: Kernel) -> None:
    kernel.unsent = 100
    for _ in range(5):
        kernel.acked += 1
        assert stopped_after(pulse, 1, backlog=True) == [False]
    assert stopped_after(pulse, 3, backlog=True) == [False, False, True]


def test_silence_proves_nothing_while_nobody_listens(pulse: Pulse) -> None:
    assert stopped_after(pulse, 5, deaf=True) == [False] * 5
