"""The command line, `loom-weaver COMMAND`. What a command needs is imported when the command is named."""

from loom_weaver.cli.program import main

__all__ = ["main"]
