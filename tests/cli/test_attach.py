"""A weaver's terminal through `loom-weaver attach`, as a person sees it."""

from __future__ import annotations

import shutil
import signal

import pytest

from tests.cli.command_line import CommandLine
from tests.cli.screens import COLUMNS, CTRL_C, CTRL_P, CTRL_Z, DETACH, ROWS, Screen
from tests.server.running import wait_for

SHELL = "PS1='ready> ' exec sh -i"


def test_term_7_the_prompt_is_there_at_once(cli: CommandLine) -> None:
    weaver = cli.new(SHELL)
    with cli.on_screen("attach", weaver) as screen:
        screen.until("ready>")
        screen.type("echo $((6*7))\r")
        screen.until("\n42")
        screen.type("exit 3\r")
        assert screen.ended() == 3


def test_the_terminal_has_the_size_of_the_window(cli: CommandLine) -> None:
    weaver = cli.new(SHELL)
    with cli.on_screen("attach", weaver) as screen:
        screen.until("ready>")
        screen.type("stty size\r")
        screen.until(f"{ROWS} {COLUMNS}")
        screen.resize(101, 31)
        screen.type("until stty size | grep '31 101'; do :; done\r")
        screen.until(lambda: any(line in ("31 101", "ready> 31 101") for line in screen.lines))
        screen.type(DETACH)
        assert screen.ended() == 0


def test_the_detach_keys_leave_it_running(cli: CommandLine) -> None:
    weaver = cli.new(SHELL)
    with cli.on_screen("attach", weaver) as screen:
        found = screen.settings()
        screen.until("ready>")
        assert screen.settings() != found
        screen.type("echo st''ill\r")
        screen.until("still")
        screen.type(CTRL_P)
        screen.type("\x11")
        assert screen.ended() == 0
        assert screen.settings() == found
        assert f"loom-weaver attach {weaver}" in screen.text
    assert cli.get(weaver)["status"] == "running"


def test_detach_keys_of_ones_own(cli: CommandLine) -> None:
    weaver = cli.new(SHELL)
    with cli.on_screen("attach", "--detach-keys", "ctrl-x,d", weaver) as screen:
        screen.until("ready>")
        screen.type("echo x\x18\x18dd\r")
        assert screen.ended() == 0
    assert cli.get(weaver)["status"] == "running"
    assert "--detach-keys" in cli.refused(125, "attach", "--detach-keys", "ctrl-pp", weaver)


def test_control_keys_reach_the_program(cli: CommandLine) -> None:
    weaver = cli.new("PS1='ready> ' exec bash --norc -i")
    with cli.on_screen("attach", weaver) as screen:
        screen.until("ready>")
        screen.type("sleep 1000\r")
        screen.until("sleep 1000")
        screen.type(CTRL_C)
        screen.until("^C")
        screen.type("sleep 2000\r")
        screen.until("sleep 2000")
        screen.type(CTRL_Z)
        screen.until("Stopped")
        screen.type("kill %1; exit 0\r")
        screen.type("exit 0\r")
        assert screen.ended() == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_leaves_the_terminal_as_it_was_found(
    cli: CommandLine, number: signal.Signals, code: int
) -> None:
    weaver = cli.new("printf '\\033[?1049h\\033[?25l\\033[?2004h\\033[1;5r'; echo drawn; exec cat")
    with cli.on_screen("attach", weaver) as screen:
        found = screen.settings()
        screen.until("drawn")
        screen.kill(number)
        assert screen.ended() == code
        assert screen.settings() == found
        for undone in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?2004l", b"\x1b[r"):
            assert undone in screen.raw
    assert cli.get(weaver)["status"] == "running"


def test_what_had_ended_shows_its_output_and_its_code(cli: CommandLine) -> None:
    weaver = cli.new("echo last words; exit 9")
    cli.until_ended(weaver)
    with cli.on_screen("attach", weaver) as screen:
        assert screen.ended() == 9
        assert "last words" in screen.text


def test_a_weaver_that_is_deleted_meanwhile(cli: CommandLine) -> None:
    weaver = cli.new(SHELL)
    with cli.on_screen("attach", weaver) as screen:
        screen.until("ready>")
        cli.ok("delete", weaver)
        assert screen.ended() in (125, 129, 137, 143)
        assert "Deleted" in screen.text or "deleted" in screen.text


def test_questions_of_the_past_are_not_answered(cli: CommandLine) -> None:
    """A terminal would type the answer into whatever runs by now."""
    script = "stty raw -echo; printf '\\033[6n\\033[c'; sleep 0.2; echo asked; exec od -An -tx1 -v -w1"
    weaver = cli.new(script)
    wait_for(lambda: "asked" in cli.ok("logs", weaver), "the program to have asked")
    with cli.on_screen("attach", weaver) as screen:
        screen.until("asked")
        screen.type("z")
        screen.until("7a")
        assert "1b" not in screen.text
        assert b"\x1b[6n" not in screen.raw
        screen.type(DETACH)
        assert screen.ended() == 0


def test_questions_of_the_present_are_answered(cli: CommandLine) -> None:
    weaver = cli.new(
        "stty raw -echo; echo r''eady; head -c 1 >/dev/null; printf '\\033[6n'; exec od -An -tx1 -v -w1"
    )
    with cli.on_screen("attach", weaver) as screen:
        screen.until("ready")
        screen.type("g")
        screen.until("1b")
        screen.until("52")
        screen.type(DETACH)
        assert screen.ended() == 0


@pytest.mark.skipif(not shutil.which("vim"), reason="vim is not installed")
def test_an_editor_draws_and_leaves(cli: CommandLine) -> None:
    weaver = cli.new(SHELL)
    with cli.on_screen("attach", weaver) as screen:
        screen.until("ready>")
        screen.type("vim -u NONE -N note.txt\r")
        screen.until("note.txt")
        screen.type("ihello 世界 ✅\x1b")
        screen.until("hello 世界")
        screen.resize(60, 12)
        screen.until(lambda: any(line.startswith("~") for line in screen.lines[1:11]), "the redraw")
        screen.type(":wq\r")
        screen.until("ready>")
        screen.type("cat note.txt; exit\r")
        assert screen.ended() == 0
        assert "hello 世界 ✅" in screen.raw.decode(errors="replace")


CURSES = """
import curses, time
def main(screen):
    curses.curs_set(0)
    screen.nodelay(True)
    n = 0
    while True:
        rows, columns = screen.getmaxyx()
        screen.erase()
        screen.addstr(0, 0, f"{columns}x{rows}")
        screen.addstr(1, 0, f"frame {n}")
        screen.addstr(rows - 1, 0, "bottom")
        screen.refresh()
        n += 1
        key = screen.getch()
        if key == ord("q"):
            return
        time.sleep(0.02)
curses.wrapper(main)
"""


def test_a_program_that_redraws_all_the_time(cli: CommandLine) -> None:
    (cli.home / "top.py").write_text(CURSES)
    weaver = cli.new(SHELL)
    cli.ok("cp", "top.py", f"{weaver}:")
    with cli.on_screen("attach", weaver) as screen:
        found = screen.settings()
        screen.until("ready>")
        screen.type("TERM=xterm python3 top.py\r")
        screen.until(f"{COLUMNS}x{ROWS}")
        screen.until(lambda: screen.lines[ROWS - 1] == "bottom", "the last row")
        screen.resize(70, 15)
        screen.until("70x15")
        screen.until(lambda: screen.lines[14] == "bottom", "the redraw")
        screen.type(DETACH)
        assert screen.ended() == 0
        assert screen.settings() == found
        assert screen.raw.rstrip().endswith(weaver.encode())
        assert b"\x1b[?1049l" in screen.raw
        assert b"\x1b[?25h" in screen.raw


def test_wide_characters_and_halves_of_them(cli: CommandLine) -> None:
    weaver = cli.new("stty raw -echo; echo r''eady; head -c 11 | od -An -tx1; printf '|世|é|✅|'; exec cat")
    with cli.on_screen("attach", weaver) as screen:
        screen.until("ready")
        for piece in (b"\xe4", b"\xb8\x96", b"\xf0\x9f", b"\x98\x80", b"\xff\x00", "é".encode()):
            screen.type(piece)
        screen.until("e4 b8 96 f0 9f 98 80 ff 00 c3 a9")
        screen.until("|世|é|✅|")
        screen.type(DETACH)
        assert screen.ended() == 0


@pytest.mark.timeout(180)
def test_term_2_a_paste_of_a_megabyte_arrives_whole(cli: CommandLine) -> None:
    import hashlib

    data = b"".join(b"%07d\n" % n for n in range(131_072))
    weaver = cli.new("stty raw -echo; echo r''eady; head -c 1048576 | sha256sum; exec cat")
    with cli.on_screen("attach", weaver) as screen:
        screen.until("ready")
        paste(screen, data)
        screen.until(hashlib.sha256(data).hexdigest()[:60])
        screen.type(DETACH)
        assert screen.ended() == 0


@pytest.mark.timeout(180)
def test_term_1_a_paste_whose_echo_comes_back_at_once(cli: CommandLine) -> None:
    lines = 1049
    weaver = cli.new("stty -echo; echo r''eady; exec cat")
    with cli.on_screen("attach", weaver) as screen:
        screen.until("ready")
        before = len(screen.raw)
        paste(screen, (b"x" * 999 + b"\n") * lines)
        wanted = 1001 * lines
        screen.until(lambda: len(screen.raw) - before >= wanted, "all of the echo")
        assert screen.raw[before:].replace(b"\r\n", b"\n").count(b"\n" + b"x" * 999) >= lines - 2
        assert screen.raw.count(b"x" * 999 + b"\r\n") == lines


def paste(screen: Screen, data: bytes) -> None:
    """As fast as the terminal takes it, while it is read: a window does both at a time."""
    import os
    import select

    descriptor = screen.child.child_fd
    while data:
        readable, writable, _ = select.select([descriptor], [descriptor], [], 10)
        assert readable or writable
        if readable:
            screen.read(0)
        elif writable:
            data = data[os.write(descriptor, data[:512]) :]
