"""`login` and `logout`: which server is called when nothing else tells."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine


@pytest.fixture
def cli(cli: CommandLine) -> CommandLine:
    """Told no server by its environment."""
    return replace(cli, in_environment=False)


def stored(cli: CommandLine) -> Path:
    return cli.home / ".config" / "loom-weaver" / "login.json"


def test_a_login_is_checked_and_kept_for_its_owner_alone(cli: CommandLine) -> None:
    ended = cli.run("login", cli.url, stdin=f"{cli.key}\n".encode())
    assert ended.code == 0, ended.err
    assert cli.key not in ended.out + ended.err
    assert stat.S_IMODE(stored(cli).stat().st_mode) == 0o600
    weaver = cli.new("sleep 1000")
    assert cli.ok("ps", "-q").split() == [weaver]
    assert cli.url in cli.ok("whoami")
    cli.ok("logout")
    assert not stored(cli).exists()


def test_a_wrong_key_is_not_kept(cli: CommandLine) -> None:
    cli.refused(3, "login", cli.url, stdin=b"loom_sk_wrong\n")
    assert not stored(cli).exists()
    assert "no key" in cli.refused(2, "login", cli.url)
    assert "URL" in cli.refused(2, "login", "nonsense", stdin=b"x\n")


def test_a_person_is_asked_and_the_key_is_not_shown(cli: CommandLine) -> None:
    with cli.on_screen("login") as screen:
        screen.until("URL of the server:")
        screen.type(f"{cli.url}\r")
        screen.until("API key:")
        screen.type(f"{cli.key}\r")
        assert screen.ended() == 0
        assert "You are owner" in screen.text
        assert cli.key.encode() not in screen.raw
    assert stored(cli).exists()


def test_a_login_that_others_may_read_is_refused(cli: CommandLine) -> None:
    cli.ok("login", cli.url, stdin=cli.key.encode())
    stored(cli).chmod(0o644)
    told = cli.refused(2, "ps")
    assert "chmod 600" in told


def test_without_any_server_it_is_told_how_to_get_one(cli: CommandLine) -> None:
    told = cli.refused(5, "ps", JUPYTER_RUNTIME_DIR=str(cli.home))
    assert "loom-weaver login" in told
