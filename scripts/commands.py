"""The reference of docs/cli.md, from the code: `python scripts/commands.py` writes it anew."""

from __future__ import annotations

import importlib
from pathlib import Path

from typer.core import TyperArgument, TyperCommand, TyperOption

from loom_weaver.cli import exits, program

PAGE = Path(__file__).parent.parent / "docs" / "cli.md"
# The page's own text ends here.
MARK = "<!-- From here on written by scripts/commands.py -->\n"


def reference() -> str:
    commands = program.all_commands().commands
    parts = ["## Commands", *(_section(name, commands[name]) for name in program.OWN)]
    parts += [
        "## Exit codes",
        _table(("code", ""), [(f"{code}", words) for code, words in exits.MEANINGS.items()]),
    ]
    return "\n\n".join(parts) + "\n"


def _section(name: str, command: object) -> str:
    assert isinstance(command, TyperCommand)
    examples = importlib.import_module(f"loom_weaver.cli.commands.{name}").EXAMPLES
    parts = [f"### {name}", f"{command.help}", f"```\n{usage(name, command)}\n```"]
    rows = [_argument(each) for each in command.params if isinstance(each, TyperArgument)]
    rows += [_option(each) for each in command.params if isinstance(each, TyperOption) and not each.hidden]
    if rows:
        parts.append(_table(("", ""), rows))
    lines = "\n".join(line.removeprefix("  ") for line in examples.splitlines())
    parts.append(f"```console\n{lines}\n```")
    return "\n\n".join(parts)


def usage(name: str, command: TyperCommand) -> str:
    arguments = [_placeholder(each) for each in command.params if isinstance(each, TyperArgument)]
    behind_dashes = [each for each in arguments if "COMMAND" in each]
    words = [each for each in arguments if each not in behind_dashes]
    return " ".join([program.PROGRAM, name, "[OPTIONS]", *words, *(f"-- {each}" for each in behind_dashes)])


def _placeholder(argument: TyperArgument) -> str:
    name = str(argument.metavar or argument.name).upper()
    return name if argument.required else f"[{name}]"


def _argument(argument: TyperArgument) -> tuple[str, str]:
    return f"`{_placeholder(argument)}`", argument.help or ""


def _option(option: TyperOption) -> tuple[str, str]:
    names = ", ".join([*option.opts, *option.secondary_opts])
    default = option.default if isinstance(option.default, str) and option.default else ""
    told = f"{option.help or ''} Default: `{default}`." if default else option.help or ""
    return f"`{names}`" if option.is_flag else f"`{names} {option.metavar or 'TEXT'}`", told


def _table(head: tuple[str, ...], rows: list[tuple[str, str]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def main() -> None:
    own, mark, _ = PAGE.read_text().partition(MARK)
    PAGE.write_text(f"{own}{mark or MARK}\n{reference()}")


if __name__ == "__main__":
    main()
