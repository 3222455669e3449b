"""The command line. Each command joins through the entry-point group `loom_weaver.commands`."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, entry_points

from loom_weaver import __version__

GROUP = "loom_weaver.commands"
USAGE = """\
Usage: loom-weaver COMMAND [ARGUMENTS]

Commands:
{commands}

loom-weaver COMMAND --help tells more about one of them; loom-weaver --version tells the version."""
# An entry point carries no text, and loading each for its text would make this slow.
SUMMARIES = {
    "admin": "Manage users, organizations, repositories and keys",
    "serve": "Serve the API on this machine, without JupyterLab",
}


def main() -> None:
    """Run the command that is named, loading no other."""
    name, *arguments = sys.argv[1:] or ["--help"]
    commands = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name == "--version":
        print(__version__)  # noqa: T201
    elif name in ("--help", "-h"):
        print(usage(commands))  # noqa: T201
    elif name in commands:
        commands[name].load()(args=arguments, prog_name=f"loom-weaver {name}")
    else:
        sys.exit(f"loom-weaver: there is no command {name!r}; it has: {', '.join(sorted(commands))}")


def usage(commands: dict[str, EntryPoint]) -> str:
    lines = [f"  {name:<8} {SUMMARIES.get(name, '')}".rstrip() for name in sorted(commands)]
    return USAGE.format(commands="\n".join(lines))


if __name__ == "__main__":
    main()
