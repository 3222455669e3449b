"""Runs the code of cells in weavers."""

from __future__ import annotations

import inspect
import json
import secrets
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from loom_weaver.client.errors import ConnectionFailed
from loom_weaver.errors import BadRequest, LoomError
from loom_weaver.magics import resident
from loom_weaver.magics.end_mark import EndMark
from loom_weaver.magics.failures import CellFailed
from loom_weaver.magics.resident import INTERRUPTED
from loom_weaver.magics.streams import STREAMS, Output

if TYPE_CHECKING:
    from loom_weaver.client.blocking import Weaver


class Python:
    """An interpreter in one weaver that keeps the names of its cells, for as long as this object is open."""

    def __init__(self, weaver: Weaver) -> None:
        self._token = secrets.token_hex(16)
        command = ["python3", "-u", "-c", inspect.getsource(resident), self._token]
        self._process = weaver.exec_stream(command)
        self._interrupts = 0
        self.is_over = False

    def __repr__(self) -> str:
        return f"<Python {self._process} over={self.is_over}>"

    def run(self, code: str) -> int:
        """Its exit state: 0, 1 after an exception, 130 after an interrupt, or with what it exited."""
        mark = f"\0{self._token}:".encode()
        marks = {name: EndMark(mark) for name in STREAMS}
        self._interrupts = 0
        try:
            self._request({"code": code})
            Output(self._process, marks).write(self._interrupt)
        except BaseException:
            self.close()
            raise
        ended = marks["stdout"].code
        if ended is None:
            self.is_over = True
            ended = self._process.wait()
        return ended

    def close(self) -> None:
        """End the interpreter; the weaver goes on."""
        self.is_over = True
        self._process.close()

    def _request(self, request: dict[str, object]) -> None:
        self._process.send(json.dumps(request) + "\n")

    def _interrupt(self) -> None:
        """Once: as Ctrl-C in the weaver. Again: the interpreter is ended, with all its names."""
        self._interrupts += 1
        if self._interrupts > 1:
            self._process.close()
            raise KeyboardInterrupt
        self._request({"interrupt": True})


def run_command(weaver: Weaver, command: Sequence[str], stdin: str | None) -> int:
    """A command of its own, with `stdin`; its exit code. An interrupt ends it: 130."""
    process = weaver.exec_stream(command)

    def stop() -> None:
        process.close()
        raise KeyboardInterrupt

    try:
        if stdin is not None:
            process.send(stdin)
        process.send_eof()
        Output(process).write(stop)
        return process.wait()
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        process.close()


class Cells:
    """The interpreters of a notebook: one for each weaver in which it has run Python."""

    def __init__(self) -> None:
        self._pythons: dict[str, Python] = {}

    def run(self, weaver: Weaver, code: str, program: str | None) -> int:
        """By Python, which keeps its names; `program`: by a command that gets the code as its input."""
        if program is not None:
            return self._run_program(weaver, code, program)
        known = self._pythons.get(weaver.id)
        if known is None or known.is_over:
            known = self._pythons[weaver.id] = Python(weaver)
        try:
            return known.run(code)
        except KeyboardInterrupt:
            words = "interrupted again: the interpreter was ended, with its names"
            raise CellFailed(words, INTERRUPTED) from None
        except BadRequest as error:
            raise BadRequest(f"{error.message}; --sh or --with PROGRAM runs cells without it") from error
        except ConnectionFailed as error:
            raise _Lost(
                f"{error.message}; what its cells had made is gone, as their interpreter ends with the link"
            ) from error

    def forget(self, weaver_id: str) -> None:
        """Of a weaver that was deleted."""
        python = self._pythons.pop(weaver_id, None)
        if python is not None:
            python.close()

    def close(self) -> None:
        for weaver_id in list(self._pythons):
            self.forget(weaver_id)

    @staticmethod
    def _run_program(weaver: Weaver, code: str, program: str) -> int:
        if program == SHELL:
            return run_command(weaver, ["sh", "-c", code], None)
        return run_command(weaver, shlex.split(program), code)


# `--sh`: the code is an argument, so that its commands may read input.
SHELL = "sh"


class _Lost(LoomError):
    code = "connection_failed"
