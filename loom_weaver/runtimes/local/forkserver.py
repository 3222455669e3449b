"""A warm process that forks holders: much faster than starting interpreters, and their memory is shared.

The server passes two descriptors for each weaver: the listening socket and one end of the control connection,
on which the request then comes as a line of JSON. Before that may come one that asks for a sandbox of no
weaver yet: then most of a start is done when a weaver is asked for. Started cold, with both descriptors as
arguments, this module is that one holder itself. Standard library only.
"""

from __future__ import annotations

import gc
import os
import sys

from loom_weaver.runtimes.local import sandbox
from loom_weaver.runtimes.local.descendants import start_time
from loom_weaver.runtimes.local.holder import Holder
from loom_weaver.runtimes.local.light_signal import signal
from loom_weaver.runtimes.local.light_socket import Socket, recv_fds
from loom_weaver.runtimes.local.protocol import Lines, encode
from loom_weaver.runtimes.local.record import write_record
from loom_weaver.runtimes.local.sandbox_plan import Plan
from loom_weaver.runtimes.local.stage import Stage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def serve(requests: Socket) -> None:
    """Fork a holder for each pair of descriptors; ends with the server."""
    sandbox.prepare()
    gc.collect()
    gc.freeze()
    while True:
        data, descriptors = recv_fds(requests, 1, 2)
        if not data:
            return
        pid = os.fork()
        if pid == 0:
            requests.close()
            detach_and_hold(*descriptors)
        os.waitpid(pid, 0)
        for descriptor in descriptors:
            os.close(descriptor)


def detach_and_hold(listener: int, control: int) -> None:
    """Become a process of nobody's session and family, and hold a weaver until it ends. Does not return."""
    try:
        os.setsid()
        if os.fork() == 0:
            hold(Socket(fileno=listener), Socket(fileno=control))
    except BaseException:  # noqa: BLE001 - the process ends here, and what ended it goes to its log
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(0)


def hold(listener: Socket, control: Socket) -> None:
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    stage = Stage()
    request = _request(control)
    _redirect_stdio(f"{request['folder']}/holder.log")
    if "record" not in request:
        request = _wait_for_weaver(stage, control, request)
    holder = Holder(request["folder"], request["record"], listener)
    control.sendall(encode({"ok": True}))
    holder.run(control, stage, Plan(**request["plan"]), request["argv"])


def _wait_for_weaver(stage: Stage, control: Socket, prepare: dict[str, Any]) -> dict[str, Any]:
    """Make ready what can be without a weaver; its folder becomes that of the weaver which then comes."""
    waiting = stage.make_ready(Plan(**prepare["plan"]))
    control.sendall(encode({"ok": True, "process": (os.getpid(), start_time(os.getpid()))}))
    request = _request(control)
    if waiting.ended:
        os._exit(1)
    try:
        os.rename(prepare["folder"], request["folder"])
        write_record(request["folder"], request["record"])
    except OSError as error:
        control.sendall(encode({"errno": error.errno}))
        os._exit(1)
    return request


def _request(control: Socket) -> dict[str, Any]:
    lines = Lines()
    while data := control.recv(64 * 1024):
        for request in lines.feed(data):
            return request
    # The server gave up before it had said what to hold.
    os._exit(0)


def _redirect_stdio(log: str) -> None:
    """A holder says nothing unless it dies of an error; that is kept beside its record."""
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    errors = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    for descriptor, source in enumerate((null, null, errors)):
        os.dup2(source, descriptor)


def main(arguments: list[str]) -> None:
    descriptors = [int(argument) for argument in arguments]
    if len(descriptors) == 1:
        # A terminal's Ctrl-C is for the server; this process ends when the server does.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        serve(Socket(fileno=descriptors[0]))
    else:
        detach_and_hold(*descriptors)


if __name__ == "__main__":
    main(sys.argv[1:])
