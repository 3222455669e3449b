"""What holders use instead of `json`, `signal` and `socket` does as those do."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import loom_weaver
from loom_weaver.runtimes.local.light_json import dumps, loads
from loom_weaver.runtimes.local.light_signal import name_of
from loom_weaver.runtimes.local.light_socket import Socket, recv_fds, send_fds

ROOT = Path(loom_weaver.__file__).parent.parent
# As the launcher starts holders.
START = [sys.executable, "-I", "-S", "-c"]
VALUES: list[Any] = [
    None,
    True,
    -1,
    10**30,
    1.5e-7,
    "",
    'a "quoted" \\ line\n\tand \x00, ü, 漢, 😀',
    "\ud800",
    [],
    {},
    [[], {}, [None, {"a": [1, 2.5, "x"]}]],
    {"id": "weaver_1", "tags": {"": ""}, "timeline": [{"at": "2026", "event": "Created"}], "holder": (1, 2)},
]
NO_JSON = [b"", b" ", b"x", b"{", b'{"a":}', b"[1] 2", b"'a'", b"\xff", b'"\n"', b"[" * 1_000_000, b"nul"]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_json_is_written_as_json_has_it(value: Any) -> None:
    assert dumps(value) == json.dumps(value, separators=(",", ":"))


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_json_is_read_as_json_has_it(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, indent=1) + "\r\n", f"\n {json.dumps(value)}"):
        assert loads(text.encode()) == json.loads(text)


@pytest.mark.parametrize("text", NO_JSON, ids=lambda text: repr(text[:20]))
def test_what_is_no_json_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which one does not matter
        loads(text)


def test_only_json_is_written() -> None:
    with pytest.raises(TypeError):
        dumps({"a": {1}})


def test_where_the_parts_in_c_are_missing_json_itself_does_it() -> None:
    program = (
        "import sys; sys.modules['_json'] = None; sys.path.insert(0, sys.argv[1]);"
        "from loom_weaver.runtimes.local.light_json import dumps, loads;"
        'print(dumps(loads(b\' {"a": [1, "\\u00fc"]}\\n\')))'
    )
    said = subprocess.run([*START, program, ROOT], capture_output=True, text=True, check=True).stdout
    assert said == '{"a":[1,"\\u00fc"]}\n'


def test_signals_have_the_names_of_the_enumeration() -> None:
    known = {number.value: number.name for number in signal.Signals}
    assert {number: name_of(number) for number in known} == known
    assert name_of(0) is None
    assert name_of(1000) is None


def test_descriptors_pass_with_the_data() -> None:
    ours, theirs = (Socket(fileno=each.detach()) for each in socket.socketpair())
    read, write = os.pipe()
    send_fds(ours, b"two", [read, write])
    send_fds(ours, b"none", [])
    assert recv_fds(theirs, 3, 2)[0] == b"two"
    assert recv_fds(theirs, 9, 2) == (b"none", [])
    for each in (ours, theirs):
        each.close()
    for descriptor in (read, write):
        os.close(descriptor)


def test_received_descriptors_work_and_do_not_outlive_an_exec() -> None:
    ours, theirs = (Socket(fileno=each.detach()) for each in socket.socketpair())
    read, write = os.pipe()
    send_fds(ours, b"+", [write])
    _, (received,) = recv_fds(theirs, 1, 2)
    os.write(received, b"through")
    assert os.read(read, 100) == b"through"
    assert not os.get_inheritable(received)
    for each in (ours, theirs):
        each.close()
    for descriptor in (read, write, received):
        os.close(descriptor)


def test_a_holder_starts_without_the_heavy_part_of_the_standard_library() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import loom_weaver.runtimes.local.forkserver;"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    said = subprocess.run([*START, program, ROOT], capture_output=True, text=True, check=True).stdout
    heavy = {"collections", "contextlib", "enum", "functools", "json", "re", "signal", "socket", "typing"}
    assert heavy & set(said.split()) == set()
