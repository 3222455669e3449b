"""The Python that runs cells inside a weaver: its text is what `python3 -c` is given there.

Requests are lines of JSON on standard input: `{"code": TEXT}` runs a cell, `{"interrupt": true}` stops
the one that runs. Names live on from cell to cell. What a cell prints passes as it is; after it a mark made
of the first argument, with the exit state, goes to both streams, so that a reader knows that this is all.

It needs the standard library of Python 3.8 and nothing of this package.
"""

from __future__ import annotations

import ast
import builtins
import json
import linecache
import os
import queue
import signal
import sys
import threading
import traceback
from typing import Any, Callable, Dict, Optional  # noqa: UP035 - for older Pythons too

OK, FAILED, INTERRUPTED = 0, 1, 130


class Cells:
    """A namespace in which cells run, one after the other."""

    def __init__(self) -> None:
        self.names: Dict[str, Any] = {"__name__": "__main__", "__builtins__": builtins}  # noqa: UP006
        self._count = 0

    def run(self, code: str) -> int:
        """What became of it; a `SystemExit` goes on. The value of a last expression is printed."""
        self._count += 1
        name = f"<cell {self._count}>"
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        try:
            self._execute(ast.parse(code, name), name)
        except KeyboardInterrupt:
            _explain()
            return INTERRUPTED
        except Exception:  # noqa: BLE001 - whatever a cell raises is the cell's affair
            _explain()
            return FAILED
        return OK

    def _execute(self, tree: ast.Module, name: str) -> None:
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, name, "exec"), self.names)  # noqa: S102 - this is what it is for
        if last is not None:
            exec(compile(ast.Interactive([last]), name, "single"), self.names)  # noqa: S102


def _explain() -> None:
    """The traceback without our own frames."""
    kind, error, trace = sys.exc_info()
    own = {__file__ if "__file__" in globals() else "<string>"}
    while trace is not None and trace.tb_frame.f_code.co_filename in own:
        trace = trace.tb_next
    sys.stdout.flush()
    traceback.print_exception(kind, error, trace)


class Requests:
    """Reads requests in a thread; an interrupt reaches the main thread also while this waits in a call."""

    def __init__(self, descriptor: int, interrupt: Callable[[], None]) -> None:
        self._lines = os.fdopen(descriptor, "rb")
        self._interrupt = interrupt
        self._codes: "queue.SimpleQueue[Optional[str]]" = queue.SimpleQueue()  # noqa: UP037, UP045
        self.busy = False
        threading.Thread(target=self._read, daemon=True).start()

    def next(self) -> Optional[str]:  # noqa: UP045
        """The code of the next cell; None when nobody asks any more."""
        return self._codes.get()

    def _read(self) -> None:
        for line in self._lines:
            request = json.loads(line)
            if "code" in request:
                self._codes.put(request["code"])
            elif self.busy:
                self._interrupt()
        self._codes.put(None)
        if self.busy:
            self._interrupt()


def main(token: str) -> None:
    """Run cells until standard input ends, or a cell exits."""
    main_thread = threading.get_ident()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests = Requests(os.dup(0), lambda: signal.pthread_kill(main_thread, signal.SIGINT))
    # A cell that reads gets no request of ours.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    cells = Cells()
    while True:
        code = requests.next()
        if code is None:
            return
        requests.busy = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            outcome = cells.run(code)
        except KeyboardInterrupt:
            outcome = INTERRUPTED
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            requests.busy = False
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.write(stream.fileno(), f"\0{token}:{outcome}\0".encode())


if __name__ == "__main__":
    main(sys.argv[1])
