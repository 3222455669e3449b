"""The process that owns one weaver: its terminal, its log, its clock and its end.

It is forked by the fork server (or started cold), belongs to nobody, and goes on whatever becomes of the
server. Standard library only: a thousand of these run side by side.
"""

from __future__ import annotations

import os
import time

from loom_weaver import flow
from loom_weaver.runtimes.local import linux
from loom_weaver.runtimes.local.bubblewrap import SandboxFailed
from loom_weaver.runtimes.local.control_link import ControlLink
from loom_weaver.runtimes.local.descendants import descendants, kill_below, signal_all, start_time
from loom_weaver.runtimes.local.greeting import Greeting
from loom_weaver.runtimes.local.light_signal import signal
from loom_weaver.runtimes.local.log_writer import LogWriter
from loom_weaver.runtimes.local.loop import READ, Loop, Timer
from loom_weaver.runtimes.local.outcome import exit_code, not_started, outcome
from loom_weaver.runtimes.local.protocol import LOG, SOCKET, Lines
from loom_weaver.runtimes.local.record import Record, note, timestamp, write_record
from loom_weaver.runtimes.local.terminal import Terminal, get_size, set_size
from loom_weaver.runtimes.local.viewer_link import ViewerLink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from loom_weaver.runtimes.local.holder_links import Commands, Exits
    from loom_weaver.runtimes.local.light_socket import Socket
    from loom_weaver.runtimes.local.sandbox import Sandbox
    from loom_weaver.runtimes.local.sandbox_plan import Plan
    from loom_weaver.runtimes.local.stage import Stage

# How long a program may take to end by itself after SIGTERM and SIGHUP.
GRACE = 2.0
# A process that SIGKILL does not end within this is stuck in the kernel; the weaver ends without it.
KILL_PATIENCE = 10.0
# Viewers that still read get the rest; those that took nothing for this long do not keep an ended holder.
LINGER = 10.0
RETRY_RECORD = 1.0


class Holder:
    """State is the record; everything else is links to those who watch."""

    sandbox: Sandbox

    def __init__(self, folder: str, record: Record, listener: Socket) -> None:
        self.folder = folder
        self.record = record
        self.loop = Loop()
        self.log = LogWriter(f"{folder}/{LOG}", record["log_limit"])
        self.finished = False
        self._listener = listener
        self._controls: list[ControlLink] = []
        self._viewers: list[ViewerLink] = []
        self.execs: dict[int, Exits] = {}
        self._child = 0
        self._status: int | None = None
        self._ending: str | None = None
        self._not_started: dict[str, Any] | None = None
        self._deadline: Timer | None = None
        self._flow_timer: Timer | None = None
        self._kill_until = 0.0

    def run(self, control: Socket, stage: Stage, plan: Plan, argv: list[str]) -> None:
        """Start the program and serve until its end is recorded and told."""
        self.record["holder"] = (os.getpid(), start_time(os.getpid()))
        linux.adopt_orphans()
        self._watch_children()
        self._listener.setblocking(False)
        self.loop.add(self._listener.fileno(), READ, self._on_connection)
        control.setblocking(False)
        self.add_control(control, Lines())
        self._start_program(stage, plan, argv)
        self._set_deadline()
        self.loop.run()
        os.unlink(f"{self.folder}/{SOCKET}")

    def add_control(self, connection: Socket, lines: Lines) -> ControlLink:
        link = ControlLink(self, connection, lines)
        self._controls.append(link)
        return link

    def add_viewer(self, connection: Socket, name: str, offset: int) -> None:
        viewer = ViewerLink(self, connection, name, offset)
        self._viewers.append(viewer)
        viewer.catch_up()

    def forget_control(self, link: Commands) -> None:
        self._controls = [each for each in self._controls if each is not link]

    def forget_viewer(self, link: object) -> None:
        self._viewers = [each for each in self._viewers if each is not link]
        self.update_flow()

    def size(self) -> tuple[int, int]:
        cols, rows = self.record["size"] if self.finished else get_size(self._terminal.master)
        return cols, rows

    def type(self, data: bytes) -> None:
        if not self.finished:
            self._terminal.type(data)

    def answer(self, link: Commands, request: dict[str, Any]) -> dict[str, Any]:
        """One request of the control protocol."""
        match request["op"]:
            case "follow":
                link.follow(request["on"])
            case "resize":
                if not self.finished:
                    set_size(self._terminal.master, request["cols"], request["rows"])
            case "extend":
                return self._extend(request["lifetime_hours"], request["deadline"])
            case "terminate":
                return self._terminate_on_request(request["seen"], request["reason"])
            case unknown:
                return {"error": f"unknown op {unknown}"}
        return {"ok": True}

    def update_flow(self) -> None:
        """Let the program run or hold it back, and let go of viewers that are too far behind."""
        now = time.monotonic()
        lags = [(viewer.lag, now - viewer.took) for viewer in self._viewers]
        for viewer, (lag, _) in zip(tuple(self._viewers), lags, strict=True):
            if flow.too_slow(lag):
                self._tell({"event": "slow", "viewer": viewer.name})
                viewer.close()
        if self.finished:
            self._leave_when_told()
            return
        self._terminal.read_source(flow.may_read(lags))
        again = flow.look_again_in(lags)
        if again is not None and self._flow_timer is None:
            self._flow_timer = self.loop.after(again, self._flow_timer_ran)

    def _start_program(self, stage: Stage, plan: Plan, argv: list[str]) -> None:
        self._terminal = Terminal(self.loop, stage.pty, self._on_output, self._on_input_room)
        try:
            slave = stage.pty[1]
            self.sandbox = stage.open(plan)
            self._child = self.sandbox.spawn(argv, (slave, slave, slave), terminal=True)
        except (OSError, SandboxFailed) as error:
            self._not_started = not_started(error)
            self._status = 0
            self.loop.after(0, self._reap)
        else:
            self._note("Started", status="running", started_at=timestamp(time.time()))

    def _on_output(self, data: bytes) -> None:
        kept = self.log.append(data, int(time.time() * 1000))
        for viewer in tuple(self._viewers):
            viewer.live(data, kept)
        for link in tuple(self._controls):
            link.tell_log(self.log.end)
        self.update_flow()

    def _on_input_room(self, room: bool) -> None:
        for viewer in self._viewers:
            viewer.listen(room)

    def _watch_children(self) -> None:
        wake_read, wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)

        def woken(_: int) -> None:
            os.read(wake_read, 4096)
            self._reap()

        self.loop.add(wake_read, READ, woken)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self._all_gone()
                return
            if pid == 0:
                break
            if pid == self._child:
                self._status = status
                self._kill_until = time.monotonic() + KILL_PATIENCE
            elif pid in self.execs:
                self.execs.pop(pid).exited(status)
        if self._status is not None:
            self._kill_rest()

    def _kill_rest(self) -> None:
        """All descendants end with the program; each that goes wakes us for the next round."""
        if self.finished:
            return
        if time.monotonic() > self._kill_until:
            self._all_gone()
            return
        kill_below(os.getpid())
        self.loop.after(0.05, self._reap)

    def _all_gone(self) -> None:
        if self._status is None or self.finished:
            return
        self._terminal.drain()
        self.record["size"] = self.size()
        self.finished = True
        self._terminal.close()
        if self._ending == "Deleted":
            self._note("Ended", exit_code=exit_code(self._status))
        else:
            self._finish()
        for viewer in tuple(self._viewers):
            viewer.catch_up()
        self.loop.after(LINGER, self._stop)
        self._leave_when_told()

    def _finish(self) -> None:
        assert self._status is not None
        now = time.time()
        ended = self._not_started or outcome(self._status, self._ending)
        self._note(ended.pop("event"), finished_at=timestamp(now), **ended)

    def _set_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.at(self.record["deadline"], lambda: self._terminate("Expired"))

    def _extend(self, lifetime_hours: int, deadline: float) -> dict[str, Any]:
        if self.finished or self._ending or self._status is not None:
            return {"error": "ended"}
        self._note("Extended", lifetime_hours=lifetime_hours, deadline=deadline)
        self._set_deadline()
        return {"ok": True, "record": self.record}

    def _terminate_on_request(self, seen: int | None, reason: str) -> dict[str, Any]:
        if seen is not None and seen != self.record["lifetime_hours"]:
            return {"error": "changed"}
        self._note("Terminating", status="terminating", reason=reason, detail=None)
        self._terminate("Deleted")
        return {"ok": True}

    def _terminate(self, ending: str) -> None:
        if self._ending is None or ending == "Deleted":
            self._ending = ending
        if self.finished:
            self.loop.after(0, self._leave)
        elif self._status is None:
            pids = set(descendants(os.getpid())) - set(self.sandbox.pids)
            signal_all(list(pids), signal.SIGTERM, signal.SIGHUP, signal.SIGCONT)
            self.loop.after(GRACE, self._kill_now)

    def _leave(self) -> None:
        self.loop.running = False

    def _kill_now(self) -> None:
        if self._status is None:
            kill_below(os.getpid())

    def _leave_when_told(self) -> None:
        if not self._viewers and not self.execs and all(link.idle for link in self._controls):
            self._stop()

    def _stop(self) -> None:
        """Viewers that still read are given more time."""
        if any(time.monotonic() - viewer.took < LINGER for viewer in self._viewers):
            self.loop.after(1.0, self._stop)
        else:
            self.loop.running = False

    def _note(self, event: str, **changes: Any) -> None:
        note(self.record, time.time(), event, **changes)
        self._save()
        self._tell({"event": "state", "record": self.record})

    def _save(self) -> None:
        """A full disk must not end the weaver: try again until the record is written."""
        try:
            write_record(self.folder, self.record)
        except OSError:
            self.loop.after(RETRY_RECORD, self._save)

    def _tell(self, message: dict[str, Any]) -> None:
        for link in tuple(self._controls):
            link.send(message)

    def _flow_timer_ran(self) -> None:
        self._flow_timer = None
        self.update_flow()

    def _on_connection(self, _: int) -> None:
        try:
            connection = self._listener.accept()
        except BlockingIOError:
            return
        Greeting(self, connection)
