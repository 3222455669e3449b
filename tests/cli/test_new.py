"""`loom-weaver new`: made, waited for in words, entered, and perhaps deleted at its end."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager

from tests.cli.command_line import CommandLine
from tests.cli.screens import CTRL_C, CTRL_D, DETACH
from tests.server import odd_runtimes
from tests.server.running import RunningServer, wait_for

WEAVER = re.compile(r"weaver_[a-z0-9]{16}")


def test_a_shell_is_entered_at_once_and_its_code_is_ours(cli: CommandLine) -> None:
    with cli.on_screen("new", "--image", "shell", "--name", "box") as screen:
        screen.until("leaves it running")
        screen.type("echo $((6*7)); exit 3\r")
        assert screen.ended() == 3
        assert "\n42" in screen.text
    (weaver,) = cli.all()
    assert (weaver["tags"], weaver["status"], weaver["exit_code"]) == ({"name": "box"}, "failed", 3)


def test_the_servers_first_image_is_a_repl(cli: CommandLine) -> None:
    with cli.on_screen("new", "--rm") as screen:
        screen.until(lambda: ">>>" in screen.text or "In [1]" in screen.text, "a prompt")
        screen.type("print(6 * 7)\r")
        screen.until("42")
        screen.type(DETACH)
        assert screen.ended() == 0
    assert cli.all()[0]["status"] == "running"


def test_what_a_weaver_is_given(cli: CommandLine) -> None:
    (cli.home / "file.env").write_text("# a comment\nA=from file\nB=of the file\n\nINHERITED\n")
    out = cli.ok(
        "new",
        "--image=shell",
        "-e",
        "A=x=y z",
        "--env-file=file.env",
        "-e",
        "MISSING",
        "--memory=256Mi",
        "--cpu=1",
        "--ttl=2h",
        "--workdir=/tmp/there",
        "--tag=k=v=w",
        "--",
        "sh",
        "-c",
        'echo "$A|$B|$INHERITED|${MISSING-unset}|$PWD"',
        INHERITED="ours",
    )
    assert out.strip() == "x=y z|of the file|ours|unset|/tmp/there"
    (weaver,) = cli.all()
    assert weaver["resources"] == {"memory_limit": "256Mi", "cpu_limit": "1"}
    assert weaver["lifetime_hours"] == 2
    assert weaver["tags"] == {"k": "v=w"}


def test_without_a_terminal_it_runs_like_any_program(cli: CommandLine) -> None:
    ended = cli.run("new", "--rm", "--image", "shell", "--", "sh", "-c", "echo out; exit 4")
    assert (ended.code, ended.out.replace("\r", ""), ended.err) == (4, "out\n", "")
    wait_for(lambda: not cli.all(), "it to be deleted")


def test_piped_input_is_typed_and_ended(cli: CommandLine) -> None:
    script = "stty -echo; while read line; do echo got $line; done; echo end"
    for piped in (b"one\ntwo\n", b"one\ntwo"):
        ended = cli.run("new", "--rm", "--image", "shell", "--", "sh", "-c", script, stdin=piped)
        shown = [line for line in ended.out.replace("\r", "").splitlines() if line.startswith(("got", "end"))]
        assert shown[0] == "got one"
        assert shown[-1] == "end"
        assert ended.code == 0


def test_ctrl_d_ends_a_shell_and_rm_deletes_it(cli: CommandLine) -> None:
    with cli.on_screen("new", "--rm", "--image", "shell") as screen:
        screen.until("leaves it running")
        screen.type("PS1='ready> '\r")
        screen.until("\nready>")
        screen.type(CTRL_D)
        assert screen.ended() == 0
    wait_for(lambda: not cli.all(), "it to be deleted")


def test_a_detached_one_is_an_id(cli: CommandLine) -> None:
    weaver = cli.ok("new", "-d", "--image", "shell", "--", "sleep", "1000").strip()
    assert WEAVER.fullmatch(weaver)
    assert "--rm" in cli.refused(125, "new", "-d", "--rm")


def test_what_is_wrong_is_named(cli: CommandLine) -> None:
    assert "python" in cli.refused(125, "new", "--image", "nothing")
    assert "--ttl" in cli.refused(125, "new", "--ttl", "soon")
    assert "memory_limit" in cli.refused(125, "new", "--memory", "4GB")
    assert "--env-file" in cli.refused(125, "new", "--env-file", "nowhere")
    assert "organization" in cli.refused(125, "new", "--org", "nowhere")
    assert not cli.all()


def test_a_value_of_the_environment_is_in_no_message(cli: CommandLine) -> None:
    ended = cli.run("new", "-e", "A-B=hunter2-XYZ", LOOM_WEAVER_DEBUG="")
    assert ended.code == 125
    assert "hunter2" not in ended.out + ended.err


StartServer = Callable[..., AbstractContextManager[RunningServer]]


def test_a_long_start_is_told_in_words(start_server: StartServer, cli: CommandLine) -> None:
    with start_server(environment=odd_runtimes.environment(odd_runtimes.SlowRuntime)) as server:
        line = CommandLine(server.url, server.add_people().owner.key, cli.home)
        with line.on_screen("new", "--image", "shell") as screen:
            screen.until("is pending: Created, Pulling: its image is on the way")
            screen.until("leaves it running")
            screen.type("echo $((6*7)); exit\r")
            assert screen.ended() == 0
            assert "\n42" in screen.text
        with line.on_screen("new", "--image", "shell") as screen:
            screen.until("is pending")
            screen.type(CTRL_C)
            assert screen.ended() == 130
            assert "loom-weaver delete" in screen.text
        with line.on_screen("new", "--image", "shell", "--rm") as screen:
            screen.until("is pending")
            screen.type(CTRL_C)
            assert screen.ended() == 130
        wait_for(lambda: len(line.all()) == 2, "the last one to be deleted")
