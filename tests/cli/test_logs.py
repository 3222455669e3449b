"""`loom-weaver logs`: lines, times, and what a terminal may see of them."""

from __future__ import annotations

import re

from tests.cli.command_line import CommandLine

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def ended(cli: CommandLine, script: str) -> str:
    weaver = cli.new(script)
    cli.until_ended(weaver)
    return weaver


def test_log_6_empty_lines_have_a_time_and_nothing_else(cli: CommandLine) -> None:
    weaver = ended(cli, "printf 'a\\n\\n\\nb\\n'")
    assert cli.ok("logs", weaver) == "a\n\n\nb\n"
    lines = cli.ok("logs", "--timestamps", weaver).removesuffix("\n").split("\n")
    assert [line.partition(" ")[2] for line in lines] == ["a", "", "", "b"]
    assert all(TIME.fullmatch(line.partition(" ")[0]) for line in lines)


def test_sse_5_only_newlines_end_a_line(cli: CommandLine) -> None:
    weaver = ended(cli, "printf 'a\\342\\200\\250b\\013c\\014d\\302\\205e\\nnext\\n'")
    assert cli.run("logs", weaver).raw.decode() == "a\u2028b\x0bc\x0cd\x85e\nnext\n"


def test_log_5_a_progress_bar_is_one_line(cli: CommandLine) -> None:
    weaver = ended(cli, "printf 'p 1%%\\rp 2%%\\rp 3%%\\ndone\\n'")
    assert cli.run("logs", weaver).raw == b"p 1%\rp 2%\rp 3%\ndone\n"
    with cli.on_screen("logs", weaver) as screen:
        assert screen.ended() == 0
        assert screen.lines[:2] == ["p 3%", "done"]


def test_log_1_and_2_characters_are_whole(cli: CommandLine) -> None:
    weaver = ended(cli, "python3 -c \"print('a' + '世'*20000)\"; printf 'ok\\n\\324\\nafter\\n'")
    first, *others = cli.ok("logs", weaver).splitlines()
    assert first == "a" + "世" * 20000
    assert others == ["ok", "\N{REPLACEMENT CHARACTER}", "after"]


def test_colours_reach_a_terminal_and_commands_do_not(cli: CommandLine) -> None:
    weaver = ended(cli, "printf '\\033[31mred\\033]52;c;aGk=\\007\\033[2J\\033[6n rest\\n'")
    with cli.on_screen("logs", weaver) as screen:
        assert screen.ended() == 0
        assert screen.raw == b"\x1b[31mred rest\x1b[m\r\n"
    with cli.on_screen("logs", weaver, NO_COLOR="1") as screen:
        assert screen.ended() == 0
        assert screen.raw == b"red rest\r\n"
    assert cli.run("logs", weaver).raw == b"\x1b[31mred\x1b]52;c;aGk=\x07\x1b[2J\x1b[6n rest\n"


def test_tail_and_since(cli: CommandLine) -> None:
    weaver = ended(cli, "seq 1 1000")
    assert cli.ok("logs", "--tail", "3", weaver) == "998\n999\n1000\n"
    assert cli.ok("logs", "--tail", "0", weaver) == ""
    assert len(cli.ok("logs", weaver).splitlines()) == 1000
    assert len(cli.ok("logs", "--since", "10m", weaver).splitlines()) == 1000
    assert cli.ok("logs", "--since", "2100-01-01T00:00:00Z", weaver) == ""
    assert "--since" in cli.refused(2, "logs", "--since", "yesterday", weaver)
    assert "--tail" in cli.refused(2, "logs", "--tail", "-1", weaver)


def test_following_ends_with_the_weaver(cli: CommandLine) -> None:
    weaver = cli.new("echo first; sleep 1; printf last; exit 3")
    assert cli.ok("logs", "-f", weaver) == "first\nlast\n"
