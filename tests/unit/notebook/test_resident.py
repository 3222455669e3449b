"""The Python that runs cells in a weaver, as it is started there."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
import tempfile
from subprocess import PIPE
from typing import IO

from loom_weaver.magics import resident

START = [sys.executable, "-u", "-c", inspect.getsource(resident), "token"]
DONE = "\0token:0\0"


def ran(*cells: str) -> tuple[str, str, int]:
    """Output and errors of the cells, one after the other, and the code of the process."""
    out = ""
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(START, stdin=PIPE, stdout=PIPE, stderr=errors, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for code in cells:
                if process.poll() is not None:
                    break
                # Whoever ends the requests while a cell runs ends the cell.
                process.stdin.write(json.dumps({"code": code}) + "\n")
                process.stdin.flush()
                out += read_to_mark(process.stdout)
            process.stdin.close()
            exit_code = process.wait(30)
        errors.seek(0)
        return out, errors.read(), exit_code


def read_to_mark(stream: IO[str]) -> str:
    text = ""
    while not re.search("\0token:\\d+\0$", text) and (character := stream.read(1)):
        text += character
    return text


def test_cells_share_their_names_and_show_a_last_value() -> None:
    out, err, code = ran("x = 6", "x * 7", "None", "print('x', end='')")
    assert out == f"{DONE}42\n{DONE}{DONE}x{DONE}"
    assert (err, code) == (DONE * 4, 0)


def test_a_traceback_shows_the_cell_alone() -> None:
    out, err, _ = ran("def f():\n    raise ValueError('no')\nf()", "1 +", "'after'")
    assert out == "\0token:1\0\0token:1\0'after'\n\0token:0\0"
    assert "<string>" not in err
    assert "    raise ValueError('no')\n" in err
    assert "SyntaxError" in err


def test_a_cell_that_exits_ends_the_interpreter() -> None:
    assert ran("import sys; sys.exit(7)") == ("", "", 7)


def test_a_cell_reads_no_request() -> None:
    out, err, _ = ran("input()", "print('next')")
    assert "EOFError" in err
    assert out == "\0token:1\0next\n\0token:0\0"
