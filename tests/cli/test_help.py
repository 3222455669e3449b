"""Help, its examples, completion, and what is loaded for them."""

from __future__ import annotations

import importlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.core import TyperCommand

from loom_weaver.cli import program
from scripts.commands import MARK, PAGE, reference
from tests.cli.command_line import CommandLine
from tests.cli.screens import PROGRAM, on_screen

HEAVY = {"asyncio", "httpx", "pydantic", "rich", "sqlalchemy", "tornado", "uvloop", "websockets"}


def examples(name: str) -> list[list[str]]:
    """The calls in its help, each as words, without the remark behind it."""
    text = importlib.import_module(f"loom_weaver.cli.commands.{name}").EXAMPLES
    calls = []
    for line in text.splitlines():
        call = line.strip().split("   ")[0]
        for part in call.replace("&&", "|").replace("<", "|").split("|"):
            words = shlex.split(part)
            if words[:1] == ["loom-weaver"]:
                calls.append(words[1:])
    return calls


@pytest.mark.parametrize("name", program.OWN)
def test_every_command_has_help_with_examples_that_are_right(name: str) -> None:
    command = program.all_commands().commands[name]
    assert isinstance(command, TyperCommand)
    assert command.help
    found = examples(name)
    assert found
    for called, *arguments in found:
        assert called == name
        with command.make_context(name, list(arguments)):
            pass


@pytest.mark.parametrize("name", program.OWN)
def test_help_is_printed(name: str) -> None:
    ended = subprocess.run([*PROGRAM, name, "--help"], capture_output=True, text=True, check=True)
    assert ended.stderr == ""
    assert f"Usage: loom-weaver {name}" in ended.stdout
    assert "Examples:" in ended.stdout


def test_the_page_of_commands_is_up_to_date() -> None:
    written = PAGE.read_text().partition(MARK)[2].strip()
    assert "### attach" in written
    assert written == reference().strip(), "run: python scripts/commands.py"


def test_version() -> None:
    ended = subprocess.run([*PROGRAM, "--version"], capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("0.")


def test_a_single_call_loads_little(cli: CommandLine) -> None:
    code = (
        "import sys; sys.argv = ['loom-weaver', 'ps']\n"
        "from loom_weaver.cli import main; main()\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=cli.environment(), check=True
    )
    assert ended.stdout.splitlines()[-1] == "[]"


def completed(cli: CommandLine, line: str) -> set[str]:
    """As bash asks."""
    words = line.split(" ")
    environment = cli.environment(
        _LOOM_WEAVER_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1)
    )
    ended = subprocess.run(PROGRAM, capture_output=True, text=True, env=environment, check=True)
    return set(ended.stdout.split())


def test_completion_knows_commands_options_and_present_weavers(cli: CommandLine) -> None:
    weaver = cli.new("sleep 1000", "--name", "zed")
    assert {"ps", "attach", "serve", "admin"} <= completed(cli, "loom-weaver ")
    assert completed(cli, "loom-weaver att") == {"attach"}
    assert "--timestamps" in completed(cli, "loom-weaver logs --")
    assert {weaver, "zed"} <= completed(cli, "loom-weaver attach ")
    assert completed(cli, "loom-weaver attach ze") == {"zed"}
    assert completed(cli, "loom-weaver cp ze") == {"zed:"}
    assert {"user", "key"} <= completed(cli, "loom-weaver admin ")


SHELLS = {
    "bash": (["--norc"], "source <(loom-weaver --show-completion)"),
    "zsh": (["-f"], "autoload -Uz compinit; compinit -u; source <(loom-weaver --show-completion)"),
    "fish": (["--no-config"], "loom-weaver --show-completion | source"),
}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_what_is_typed(cli: CommandLine, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    cli.new("sleep 1000", "--name", "zed")
    options, switch_on = SHELLS[shell]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with on_screen([shell, *options, "-i"], cli.environment(PATH=path, SHELL=shell)) as screen:
        screen.type(f"{switch_on}; echo switched''-on\r")
        screen.until("switched-on")
        screen.type("loom-weaver att\t")
        screen.until("loom-weaver attach")
        screen.type("ze\t")
        screen.until("loom-weaver attach zed")
