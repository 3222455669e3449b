"""ps, extend, delete, cleanup, whoami: the commands that make one call."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from loom_weaver.cli.text import cleaned
from tests.cli.command_line import CommandLine
from tests.cli.screens import CTRL_C
from tests.server.running import People, RunningServer, wait_for

HOSTILE = "\x1b[31mred\x1b]52;c;aGk=\x07\r\x9b2J"


def test_ps_shows_state_age_and_time_left(cli: CommandLine) -> None:
    weaver = cli.new("exit 3", "--name", "one", "--ttl", "2h", "--tag", "k=v")
    cli.until_ended(weaver)
    head, row = cli.ok("ps").splitlines()
    assert head.split() == ["WEAVER", "STATUS", "AGE", "LEFT", "IMAGE", "TAGS"]
    assert re.fullmatch(rf"{weaver}  failed \(3\)  \d+s +1h59m  shell  name=one,k=v", row), row


def test_ps_for_programs(cli: CommandLine) -> None:
    tagged = cli.new("sleep 1000", "--tag", "k=v")
    other = cli.new("sleep 1000")
    assert set(cli.ok("ps", "-q").split()) == {tagged, other}
    assert cli.ok("ps", "-q", "--tag", "k=v").split() == [tagged]
    (found,) = json.loads(cli.ok("ps", "--json", "--tag", "k=v"))
    assert found["id"] == tagged
    assert cli.ok("ps", "--json", "--tag", "k=none") == "[]\n"
    assert "KEY=VALUE" in cli.refused(2, "ps", "--tag", "k")


def test_only_ones_own_unless_asked(cli: CommandLine, server: RunningServer, people: People) -> None:
    weaver = cli.new("sleep 1000")
    admin = CommandLine(server.url, people.admin.key, cli.home)
    assert weaver not in admin.ok("ps", "-q")
    assert weaver in admin.ok("ps", "-q", "--all")


def test_what_others_wrote_is_cleaned_of_escapes(cli: CommandLine) -> None:
    weaver = cli.new("sleep 1000", "--tag", f"evil={HOSTILE}")
    for arguments in (["ps"], ["ps", "--json"]):
        out = cli.ok(*arguments)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", out), out
    with cli.on_screen("ps", "--watch") as screen:
        screen.until(weaver)
        screen.until("evil=red")
        assert b"\x1b]52" not in screen.raw
        screen.type(CTRL_C)
        assert screen.ended() == 130


def test_colours_on_a_terminal_and_nowhere_else(cli: CommandLine) -> None:
    cli.new("sleep 1000")
    assert "\x1b" not in cli.ok("ps")
    with cli.on_screen("ps") as screen:
        assert screen.ended() == 0
        assert b"\x1b[32mrunning" in screen.raw
    with cli.on_screen("ps", NO_COLOR="1") as screen:
        assert screen.ended() == 0
        assert b"\x1b" not in screen.raw


def test_watching_shows_what_becomes_of_them(cli: CommandLine) -> None:
    with cli.on_screen("ps", "--watch") as screen:
        found = screen.settings()
        screen.until("WEAVER")
        weaver = cli.new("sleep 1000")
        screen.until(weaver)
        screen.until("running")
        cli.ok("delete", weaver)
        screen.until(lambda: weaver not in screen.text, "it to go")
        screen.type(CTRL_C)
        assert screen.ended() == 130
        assert screen.settings() == found
        assert b"\x1b[?1049l" in screen.raw


def test_watching_into_a_pipe_appends(cli: CommandLine) -> None:
    with cli.started("ps", "--watch") as watching:
        assert watching.line().startswith("WEAVER")
        weaver = cli.new("sleep 1000")
        while "running" not in (line := watching.line()):
            assert line.startswith(weaver)
        watching.process.terminate()
        assert watching.ended().code == 143


def test_a_weaver_is_found_by_beginning_and_by_name(cli: CommandLine) -> None:
    first = cli.new("sleep 1000", "--name", "alpha")
    second = cli.new("sleep 1000", "--name", "beta")
    for name in (first, first[:14], first.removeprefix("weaver_")[:8], "alpha"):
        assert cli.ok("extend", name, "3").startswith(first)
    assert second in cli.refused(4, "extend", "weaver_", "3")
    assert "loom-weaver ps" in cli.refused(4, "extend", "gamma", "3")
    assert cli.get(first)["lifetime_hours"] == 3


def test_of_several_with_one_name_the_live_one_is_meant(cli: CommandLine) -> None:
    ended = cli.new("exit 0", "--name", "job")
    cli.until_ended(ended)
    live = cli.new("sleep 1000", "--name", "job")
    assert cli.ok("extend", "job", "2d").startswith(live)


def test_extend_speaks_of_the_field(cli: CommandLine) -> None:
    weaver = cli.new("sleep 1000")
    assert "LIFETIME" in cli.refused(2, "extend", weaver, "soon")
    assert "1 to 48" in cli.refused(2, "extend", weaver, "49h")


def test_delete_several(cli: CommandLine) -> None:
    weavers = {cli.new("sleep 1000", "--name", f"w{n}") for n in range(2)}
    assert set(cli.ok("delete", "w0", "w1").split()) == weavers
    wait_for(lambda: not cli.all(), "them to go")
    assert "ps" in cli.refused(4, "delete", "w0")
    assert cli.run("delete", next(iter(weavers))).code == 4


def test_nothing_is_deleted_where_one_is_unknown(cli: CommandLine) -> None:
    weaver = cli.new("sleep 1000", "--name", "kept")
    cli.refused(4, "delete", "kept", "unknown")
    assert cli.get(weaver)["status"] == "running"


def test_deleting_many_asks_first(cli: CommandLine) -> None:
    kept = cli.new("sleep 1000")
    weaver = cli.new("sleep 1000", "--tag", "k=v")
    assert "--yes" in cli.refused(2, "delete", "--tag", "k=v")
    with cli.on_screen("delete", "--tag", "k=v") as screen:
        screen.until("[y/N]")
        assert weaver in screen.text
        screen.type("n\r")
        assert screen.ended() == 1
    assert cli.get(weaver)["status"] == "running"
    with cli.on_screen("delete", "--tag", "k=v") as screen:
        screen.until("[y/N]")
        screen.type("y\r")
        assert screen.ended() == 0
    wait_for(lambda: [each["id"] for each in cli.all()] == [kept], "only the other to be left")
    assert cli.ok("delete", "--all-mine", "--yes").split() == [kept]


def test_cleanup_is_for_admins(cli: CommandLine, server: RunningServer, people: People) -> None:
    assert "admin" in cli.refused(3, "cleanup")
    admin = CommandLine(server.url, people.admin.key, cli.home)
    ended = admin.run("cleanup", "--dry-run")
    assert (ended.code, ended.out, ended.err) == (0, "", "0 weavers would be deleted\n")
    assert json.loads(admin.ok("cleanup", "--dry-run", "--json"))["would_delete"] == []


def test_whoami(cli: CommandLine, people: People) -> None:
    out = cli.ok("whoami")
    assert people.owner.id in out
    assert people.org_id in out
    assert cli.url in out
    assert people.owner.key not in out
    assert json.loads(cli.ok("whoami", "--json"))["user"]["id"] == people.owner.id


def test_a_bad_key_is_told_the_way_out(cli: CommandLine) -> None:
    told = cli.refused(3, "ps", LOOM_WEAVER_API_KEY="loom_sk_wrong")
    assert "loom-weaver login" in told
    assert "loom_sk_wrong" not in told


def test_another_server_is_not_taken_for_ours(cli: CommandLine) -> None:
    told = cli.refused(5, "ps", LOOM_WEAVER_URL=cli.url + "/nowhere")
    assert "check the URL" in told


def test_wrong_arguments_are_one_line(cli: CommandLine) -> None:
    assert "loom-weaver ps --help" in cli.refused(2, "ps", "--nonsense")
    assert "Did you mean 'ps'" in cli.refused(2, "pss")
    assert "WEAVER" in cli.refused(2, "logs")


def test_a_reader_that_leaves_is_no_error(cli: CommandLine) -> None:
    for _ in range(3):
        cli.new("sleep 1000")
    program = f"{sys.executable} -m loom_weaver.cli ps | head -n 1; echo ${{PIPESTATUS[0]}}"
    ended = subprocess.run(
        ["bash", "-c", program], env=cli.environment(), capture_output=True, text=True, check=True
    )
    assert ended.stderr == ""
    assert ended.stdout.splitlines()[1] in ("0", "141")


def test_output_to_nobody_ends_with_the_code_of_a_pipe(cli: CommandLine) -> None:
    weaver = cli.new("i=0; while :; do i=$((i+1)); echo line $i; done")
    with cli.started("logs", "-f", weaver) as following:
        assert following.line() == "line 1"
        following.stop_reading()
        ended = following.ended()
    assert (ended.code, ended.err) == (141, "")


def test_ctrl_c_is_130_and_silent(cli: CommandLine) -> None:
    weaver = cli.new("echo begun; sleep 1000")
    with cli.on_screen("logs", "-f", weaver) as screen:
        screen.until("begun")
        screen.type(CTRL_C)
        assert screen.ended() == 130
        assert screen.text.replace("^C", "").strip() == "begun"


@pytest.mark.parametrize(
    ("text", "fit"),
    [
        ("plain é 世", "plain é 世"),
        (HOSTILE, "red\N{REPLACEMENT CHARACTER}"),
        ("a\nb\tc", "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"),
        ("\x1bP$q\x1b\\x", "x"),
        ("\u202eabc", "\N{REPLACEMENT CHARACTER}abc"),
    ],
)
def test_cleaning(text: str, fit: str) -> None:
    assert cleaned(text) == fit
