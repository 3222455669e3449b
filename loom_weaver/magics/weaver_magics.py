"""`%weaver` and `%%weaver`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, magics_class

from loom_weaver.errors import BadRequest
from loom_weaver.magics import arguments, commands
from loom_weaver.magics.arguments import NEW, Helped, cell_parser, line_parser, parsed
from loom_weaver.magics.failures import CellFailed, as_one_line
from loom_weaver.magics.house import House
from loom_weaver.magics.resident import INTERRUPTED
from loom_weaver.magics.starting import asks_for_a_new_one, create, wait_until_running

if TYPE_CHECKING:
    import argparse

    from IPython.core.interactiveshell import InteractiveShell

    from loom_weaver.client.blocking import Weaver


@magics_class
class WeaverMagics(Magics):
    """Weavers from IPython: made, listed, entered, ended, and running the code of cells."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._names = shell.user_ns
        self.house = House(shell.user_ns)

    @cached_property
    def _line_parser(self) -> argparse.ArgumentParser:
        return line_parser()

    @cached_property
    def _cell_parser(self) -> argparse.ArgumentParser:
        return cell_parser()

    @line_cell_magic
    def weaver(self, line: str, cell: str | None = None) -> Any:
        """`%weaver --help` and `%%weaver --help` tell the words."""
        with as_one_line():
            try:
                return self._run_line(line) if cell is None else self._run_cell(line, cell)
            except Helped:
                return None

    def _run_line(self, line: str) -> Any:
        options = parsed(self._line_parser, line or "--help")
        assert options.what in arguments.COMMANDS
        return getattr(commands, options.what)(self.house, options)

    def _run_cell(self, line: str, cell: str) -> None:
        options = parsed(self._cell_parser, line)
        used_before = self.house.last
        weaver = self._weaver_of(options)
        try:
            wait_until_running(weaver)
            exit_code = self.house.cells.run(weaver, cell, options.program)
        finally:
            if options.rm:
                self.house.delete(weaver.id)
                self.house.last = used_before
        self._names["_exit_code"] = exit_code
        if exit_code and not options.no_raise_error:
            how = "was interrupted" if exit_code == INTERRUPTED else f"ended with {exit_code}"
            raise CellFailed(f"the cell {how} in {weaver.id}", exit_code)

    def _weaver_of(self, options: argparse.Namespace) -> Weaver:
        is_new = options.weaver == NEW
        if not is_new and (options.rm or asks_for_a_new_one(options)):
            raise BadRequest("only `%%weaver new` takes what a new weaver shall have")
        weaver = create(self.house.client, options) if is_new else self.house.weaver(options.weaver)
        self.house.last = weaver.id
        return weaver
