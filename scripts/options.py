"""The tables of docs/configuration.md, from the code: `python scripts/options.py` writes them anew."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import typer
from traitlets import TraitType
from traitlets.config import Configurable
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

import loom_weaver
import loom_weaver_server
from loom_weaver_server import cli

PAGE = Path(__file__).parent.parent / "docs" / "configuration.md"
# The page's own text ends here.
MARK = "<!-- From here on written by scripts/options.py -->\n"
PROGRAM = "loom-weaver"


def tables() -> str:
    parts = ["## Options", *map(_options_of, configurables()), "## Commands", *_commands()]
    return "\n\n".join(parts) + "\n"


def configurables() -> list[type[Configurable]]:
    """Every class of ours that has options, in the order of their names."""
    found = {
        value
        for module in _modules()
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Configurable) and value.__module__ == module.__name__
    }
    return sorted((each for each in found if own_options(each)), key=name_of)


def name_of(configurable: type[Configurable]) -> str:
    """As it is said in a configuration; one that only holds the options of another goes by that one's."""
    heirs = [each for each in configurable.__subclasses__() if each.__module__.startswith("loom_weaver")]
    return heirs[0].__name__ if len(heirs) == 1 else configurable.__name__


def own_options(configurable: type[Configurable]) -> dict[str, TraitType[Any, Any]]:
    return dict(sorted(configurable.class_own_traits(config=True).items()))


def commands(found: object, path: str) -> Iterator[tuple[str, TyperCommand]]:
    """Each command that does something, with the words that call it."""
    if isinstance(found, TyperCommand):
        yield path, found
    elif isinstance(found, TyperGroup):
        for name, command in found.commands.items():
            yield from commands(command, f"{path} {name}")


def all_commands() -> list[tuple[str, TyperCommand]]:
    apps = {"serve": cli.serve, "admin": cli.admin}
    return [
        found
        for name, app in apps.items()
        for found in commands(typer.main.get_command(app), f"{PROGRAM} {name}")
    ]


def _modules() -> Iterator[ModuleType]:
    for package in (loom_weaver, loom_weaver_server):
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            # Alembic alone can import its revisions.
            if ".migrations." not in info.name:
                yield importlib.import_module(info.name)


def _options_of(configurable: type[Configurable]) -> str:
    name = name_of(configurable)
    rows = [
        (f"`{name}.{option}`", _default(configurable, option, trait), trait.help)
        for option, trait in own_options(configurable).items()
    ]
    return f"### {name}\n\n{_table(('option', 'default', ''), rows)}"


def _default(configurable: type[Configurable], option: str, trait: TraitType[Any, Any]) -> str:
    """Empty where it is nothing, or is found out at run time, which the help tells."""
    found_out = option in configurable._trait_default_generators
    text = trait.default_value_repr()
    return "" if found_out or text in ("''", "{}", "set()", "traitlets.Undefined") else f"`{text}`"


def _commands() -> list[str]:
    calls = [
        (f"`{_call(path, command)}`", command.get_short_help_str(200)) for path, command in all_commands()
    ]
    options = {
        (f"`{_option(option)}`", _option_default(option), option.help or "")
        for _, command in all_commands()
        for option in options_of(command)
    }
    return [_table(("command", ""), calls), _table(("option", "default", ""), sorted(options))]


def options_of(command: TyperCommand) -> list[TyperOption]:
    return [each for each in command.params if isinstance(each, TyperOption) and not each.hidden]


def _call(path: str, command: TyperCommand) -> str:
    arguments = [str(each.metavar) for each in command.params if isinstance(each, TyperArgument)]
    return " ".join([path, *arguments, *(f"[{_option(option)}]" for option in options_of(command))])


def _option(option: TyperOption) -> str:
    names = "/".join([*option.opts, *option.secondary_opts])
    value = option.metavar or str(option.name).rpartition("_")[2].upper()
    return names if option.is_flag else f"{names} {value}"


def _option_default(option: TyperOption) -> str:
    """Empty where the help tells it."""
    return "" if option.is_flag or option.default in ("", None) else f"`{option.default}`"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def main() -> None:
    own, mark, _ = PAGE.read_text().partition(MARK)
    PAGE.write_text(f"{own}{mark or MARK}\n{tables()}")


if __name__ == "__main__":
    main()
