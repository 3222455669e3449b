"""The page about notebooks says what is true."""

from __future__ import annotations

import re

from loom_weaver.magics.arguments import COMMANDS, cell_parser, line_parser
from loom_weaver.magics.completion import candidates
from loom_weaver.magics.house import House
from tests.notebook.kernels import Notebook
from tests.test_docs import ROOT, code_blocks

PAGE = ROOT / "docs" / "notebook.md"


def test_its_cells_run(notebook: Notebook) -> None:
    programs = code_blocks(PAGE, "python")
    cells = [block for block in code_blocks(PAGE, "text") if block.startswith("%%weaver")]
    assert (len(programs), len(cells)) == (2, 2)
    for program in programs:
        ran = notebook.run(program)
        assert ran.status == "ok", ran.error
        assert ran.bundles
    outputs = [notebook.run(cell) for cell in cells]
    assert [ran.text() for ran in outputs] == ["Linux [0, 1, 4, 9, 16]\n", "30\n"]


def test_its_lines_are_lines(notebook: Notebook) -> None:
    lines = re.findall(r"^\| `%weaver (.*?)` \|", PAGE.read_text(), re.MULTILINE)
    assert [line.split()[0] for line in lines] == list(COMMANDS)
    for line in lines:
        ran = notebook.run(f"%weaver {line}")
        assert ran.status == "ok", ran.error


def test_every_option_is_named() -> None:
    text = PAGE.read_text()
    options = {word for word in candidates(House({}), "%weaver new --") if word != "--help"}
    options |= {word for word in candidates(House({}), "%weaver logs ") if word.startswith("--")}
    options |= {"--sh", "--with", "--rm", "--no-raise-error", "--all", "--all-mine"}
    missing = {option for option in options if f"`{option}" not in text and f" {option}" not in text}
    assert not missing
    helped = line_parser().format_help() + cell_parser().format_help()
    assert all(command in helped for command in COMMANDS)
