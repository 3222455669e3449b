"""`loom-weaver`: runs the command that is named, and turns what went wrong into a line and a code."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from loom_weaver import __version__
from loom_weaver.cli import exits
from loom_weaver.errors import LoomError

PROGRAM = "loom-weaver"
GROUP = "loom_weaver.commands"
OWN = (
    "new",
    "ps",
    "attach",
    "logs",
    "exec",
    "cp",
    "extend",
    "delete",
    "events",
    "cleanup",
    "login",
    "logout",
    "whoami",
)
# Their exit code is a program's, so that a failure of our own needs one that programs do not use.
WITH_A_PROGRAMS_CODE = ("new", "attach", "exec")
# An entry point carries no text, and loading each for its text would make this slow.
JOINING = {
    "admin": "Manage users, organizations, repositories and keys.",
    "serve": "Serve the API on this machine, without JupyterLab.",
}
COMPLETION = "_LOOM_WEAVER_COMPLETE"
HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
EPILOG = """\
\b
Which server? In this order: LOOM_WEAVER_URL and LOOM_WEAVER_API_KEY, the Jupyter
server that started this notebook, what `loom-weaver login` stored, the one
Jupyter server of yours on this machine.
WEAVER is an id, the beginning of one, or the value of a weaver's tag `name`.

\b
Completion: source <(loom-weaver --show-completion) in bash and zsh;
loom-weaver --show-completion | source in fish"""


def main() -> None:
    """Run the command that is named, loading no other."""
    arguments = sys.argv[1:]
    name = next((argument for argument in arguments if not argument.startswith("-")), "")
    code = _run(name, arguments)
    if code:
        sys.exit(code)


def _run(name: str, arguments: list[str]) -> int:
    try:
        code = _invoke(name, arguments)
        sys.stdout.flush()
        return code
    except TyperException as error:
        _explain_usage(error)
        return _own_code(name, error.exit_code)
    except LoomError as error:
        exits.explain(error)
        return _own_code(name, exits.code_of(error))
    except BrokenPipeError:
        # The interpreter flushes once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.NOBODY_READS
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    except Exception as error:
        if os.environ.get("LOOM_WEAVER_DEBUG"):
            raise
        exits.complain(f"{type(error).__name__}: {error}; LOOM_WEAVER_DEBUG=1 shows where")
        return _own_code(name, exits.FAILED)


def _explain_usage(error: TyperException) -> None:
    message = error.format_message()
    if "\n" in message:
        # The help of a group that was called without a command.
        typer.echo(message, err=True)
        return
    context = getattr(error, "ctx", None)
    path = context.command_path if context else PROGRAM
    exits.complain(f"{message.rstrip('.')}; see {path} --help")


def _own_code(name: str, code: int) -> int:
    passes = code in (exits.NO_SUCH_COMMAND, exits.INTERRUPTED)
    return exits.OWN_FAILURE if name in WITH_A_PROGRAMS_CODE and not passes else code


def _invoke(name: str, arguments: list[str]) -> int:
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    if COMPLETION in os.environ:
        words = os.environ.get("COMP_WORDS", os.environ.get("_TYPER_COMPLETE_ARGS", "")).split()
        return int(all_commands(*words[1:2]).main([], PROGRAM) or 0)
    known = name in OWN and arguments[0] == name
    group = _group([name]) if known else all_commands(name)
    try:
        with group.make_context(PROGRAM, arguments or ["--help"]) as context:
            group.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    return 0


def all_commands(*loaded: str) -> TyperGroup:
    """Every command; of those that join from elsewhere only the `loaded` ones can be run."""
    from importlib.metadata import entry_points

    group = _group(OWN, add_completion=True)
    for entry in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        command: Any = (
            typer.main.get_command(entry.load())
            if entry.name in loaded
            else TyperCommand(entry.name, help=JOINING.get(entry.name), callback=lambda: None)
        )
        group.add_command(command, entry.name)
    return group


def _group(names: tuple[str, ...] | list[str], *, add_completion: bool = False) -> TyperGroup:
    app = typer.Typer(
        name=PROGRAM,
        help="Weavers from a shell: ephemeral REPL sessions, made, entered and ended.",
        epilog=EPILOG,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=add_completion,
        context_settings=HELP,
    )
    app.callback()(_options)
    for name in names:
        command = importlib.import_module(f"loom_weaver.cli.commands.{name}")
        settings = {**HELP, **getattr(command, "SETTINGS", {})}
        epilog = f"\b\nExamples:\n{command.EXAMPLES}"
        app.command(name, epilog=epilog, context_settings=settings)(command.run)
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return group


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Tell the version.")
    ] = False,
) -> None:
    return
