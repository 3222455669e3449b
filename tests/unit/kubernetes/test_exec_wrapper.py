"""The last word of the script that commands run under, found among what they say."""

from __future__ import annotations

import subprocess

import pytest

from loom_weaver.runtimes.kubernetes.exec_wrapper import ExitFinder, wrap

TOKEN = b"\x1etoken:"


def found(data: bytes, size: int) -> tuple[bytes, int | None]:
    finder = ExitFinder(TOKEN)
    said = b"".join(finder.feed(data[begin : begin + size]) for begin in range(0, len(data), size))
    return said + finder.flush(), finder.exit_code


@pytest.mark.parametrize("size", [1, 2, 5, 100])
@pytest.mark.parametrize(
    "said", [b"", b"out\n", b"\x1e", b"\x1etok", b"\x1etoken;\x1e\x1etoken", b"\xff" * 50]
)
def test_what_a_command_said_comes_through_and_the_last_word_does_not(said: bytes, size: int) -> None:
    assert found(said + TOKEN + b"137;", size) == (said, 137)
    assert found(said, size) == (said, None)


def run(*command: str, stdin: bytes = b"") -> tuple[str, bytes, int | None, bytes, int | None]:
    """(first word, output, exit code, errors, exit code again) of a command under the script."""
    wrapped = wrap(command, None)
    done = subprocess.run(
        wrapped.command, input=stdin, capture_output=True, start_new_session=True, timeout=30, check=False
    )
    word, _, rest = done.stdout.partition(b"\n")
    out, err = ExitFinder(wrapped.token), ExitFinder(wrapped.token)
    said, complained = out.feed(rest), err.feed(done.stderr)
    return word.decode(), said, out.exit_code, complained, err.exit_code


def test_a_command_runs_as_it_would_without_the_script() -> None:
    pid, *rest = run("sh", "-c", 'cat; echo "$1" >&2; exit 7', "sh", "$HOME", stdin=b"abc")
    assert pid.isdecimal()
    assert rest == [b"abc", 7, b"$HOME\n", 7]


def test_the_death_of_a_command_is_told_by_its_exit_code_alone() -> None:
    _, *rest = run("sh", "-c", "kill -9 $$")
    assert rest == [b"", 137, b"", 137]


def test_a_word_of_the_shell_is_no_command() -> None:
    assert run("exit", "3")[2] == 127


@pytest.mark.parametrize(
    ("command", "word"),
    [("no-such-command", "missing"), ("/no/such", "missing"), ("/etc/passwd", "refused"), ("/", "refused")],
)
def test_a_command_that_cannot_start_is_told(command: str, word: str) -> None:
    assert run(command)[0] == word


def test_what_a_command_leaves_behind_ends_with_the_input() -> None:
    seconds = "98765.25"
    assert run("sh", "-c", f"sleep {seconds} >/dev/null 2>&1 & echo hi")[1] == b"hi\n"
    assert subprocess.run(["pgrep", "-f", f"sleep {seconds}$"], check=False, timeout=30).returncode == 1
