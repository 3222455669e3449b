"""Where a program is started: a terminal, and a sandbox that may have been made before the program was known.

Standard library only.
"""

from __future__ import annotations

from loom_weaver.runtimes.local.sandbox import Sandbox
from loom_weaver.runtimes.local.terminal import DEFAULT_COLS, DEFAULT_ROWS, open_pty

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loom_weaver.runtimes.local.sandbox_plan import Plan


class Stage:
    __slots__ = ("_sandbox", "pty")

    def __init__(self) -> None:
        self.pty = open_pty(DEFAULT_COLS, DEFAULT_ROWS)
        self._sandbox: Sandbox | None = None

    def make_ready(self, plan: Plan) -> Sandbox:
        """Raise SandboxFailed. Of the plan, only what a sandbox is made of may not change any more."""
        self._sandbox = Sandbox(plan, self.pty[1])
        return self._sandbox

    def open(self, plan: Plan) -> Sandbox:
        """The sandbox of a weaver; raises SandboxFailed or OSError."""
        if self._sandbox is None:
            return self.make_ready(plan)
        self._sandbox.hand_over(plan)
        return self._sandbox
