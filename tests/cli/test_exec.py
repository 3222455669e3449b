"""`loom-weaver exec`: a command's own streams, terminal and exit code."""

from __future__ import annotations

import os
import subprocess

from tests.cli.command_line import CommandLine
from tests.cli.screens import CTRL_C, PROGRAM


def test_streams_and_code_are_the_commands(cli: CommandLine) -> None:
    weaver = cli.new("sleep 1000")
    ended = cli.run("exec", weaver, "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (ended.code, ended.out, ended.err) == (7, "out\n", "err\n")
    assert cli.run("exec", weaver, "sh", "-c", "kill -9 $$").code == 137
    assert cli.run("exec", weaver, "--", "false").code == 1


def test_exec_2_input_is_given_whole_and_ended(cli: CommandLine) -> None:
    weaver = cli.new("sleep 1000")
    data = os.urandom(3_000_001)
    assert cli.run("exec", "-i", weaver, "--", "cat", stdin=data).raw == data
    assert cli.ok("exec", "-i", weaver, "--", "wc", "-c", stdin=b"").strip() == "0"
    assert cli.ok("exec", weaver, "--", "wc", "-c", stdin=b"not given").strip() == "0"


def test_input_that_nobody_reads_does_not_keep_it(cli: CommandLine) -> None:
    weaver = cli.new("sleep 1000")
    assert cli.ok("exec", "-i", weaver, "--", "head", "-c", "3", stdin=b"x" * 2_000_000) == "xxx"


def test_input_from_a_file_and_from_a_pipe_that_stays_open(cli: CommandLine) -> None:
    weaver = cli.new("sleep 1000")
    (cli.home / "file").write_bytes(b"of a file")
    with (cli.home / "file").open("rb") as file:
        command = [*PROGRAM, "exec", "-i", weaver, "--", "cat"]
        ended = subprocess.run(command, stdin=file, capture_output=True, env=cli.environment(), check=True)
    assert ended.stdout == b"of a file"
    with subprocess.Popen(
        [*PROGRAM, "exec", "-i", weaver, "--", "echo", "done"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=cli.environment(),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read() == b"done\n"
        assert process.wait(30) == 0


def test_what_cannot_run(cli: CommandLine) -> None:
    weaver = cli.new("sleep 1000")
    assert "nosuch" in cli.refused(127, "exec", weaver, "--", "nosuch")
    assert "COMMAND" in cli.refused(125, "exec", weaver)
    assert "missing" in cli.refused(125, "exec", weaver, "--")
    assert "-t" in cli.refused(125, "exec", "-it", weaver, "--", "sh")
    ended = cli.new("exit 0")
    cli.until_ended(ended)
    assert "does not run" in cli.refused(125, "exec", ended, "--", "true")


def test_a_shell_on_a_terminal(cli: CommandLine) -> None:
    weaver = cli.new("sleep 1000")
    with cli.on_screen("exec", "-it", weaver, "--", "sh", "-c", "PS1='in> ' exec sh -i") as screen:
        found = screen.settings()
        screen.until("in>")
        screen.type("stty size\r")
        screen.until("24 80")
        screen.resize(90, 20)
        screen.type("until stty size | grep '20 90'; do :; done\r")
        screen.until(lambda: any(line.endswith(" 20 90") or line == "20 90" for line in screen.lines))
        screen.type("sleep 1000\r")
        screen.until("sleep 1000")
        screen.type(CTRL_C)
        screen.until("^C")
        screen.type("exit 6\r")
        assert screen.ended() == 6
        assert screen.settings() == found


def test_ctrl_c_ends_the_command(cli: CommandLine) -> None:
    weaver = cli.new("sleep 1000")
    with cli.on_screen("exec", weaver, "--", "sh", "-c", "echo begun; exec sleep 4321") as screen:
        screen.until("begun")
        screen.type(CTRL_C)
        assert screen.ended() == 130
    look = "while grep -zqs 4321 /proc/[0-9]*/cmdline; do sleep 0.1; done"
    assert cli.run("exec", weaver, "--", "bash", "-c", look.replace("4321", "'^432'1")).code == 0
