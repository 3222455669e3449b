"""The benchmark's table: what is compared, what is met, and how it reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import results
from benchmarks.results import Goal, Report, Row
from benchmarks.table import render, render_page

ECHO = Row("echo", "ms", ours=0.4, reference=0.5, goal=Goal(0.8), note="a key each 2 ms")
RATE = Row("rate", "MB/s", ours=46, reference=23, goal=Goal(2.3, at_least=True))
WEIGHT = Row("weight", "MiB", ours=1.25, goal=Goal(1.5, of="value"))
TOLD = Row("told", "s", ours=1234.5)
REPORT = Report(
    {"processor": "one of many"}, "2026-11-25 12:00 UTC", False, {"a": [ECHO, RATE], "b": [WEIGHT, TOLD]}
)


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (ECHO, True),
        (RATE, False),
        (WEIGHT, True),
        (TOLD, None),
        (Row("at the bound", "", ours=5, goal=Goal(5, of="value")), True),
        (Row("above it", "", ours=5.01, goal=Goal(5, of="value")), False),
        (Row("nothing to compare", "", ours=5, goal=Goal(0.5)), None),
    ],
    ids=lambda value: value.name if isinstance(value, Row) else "",
)
def test_a_goal_is_about_the_ratio_or_the_value(row: Row, met: bool | None) -> None:
    assert row.met is met


def test_the_table_has_a_line_for_each_row() -> None:
    _, *lines = render(REPORT).splitlines()
    assert [line.split() for line in lines] == [
        ["echo", "0.40", "ms", "0.50", "ms", "(terminado)", "0.80×", "≤", "0.8×", "met"],
        ["rate", "46", "MB/s", "23", "MB/s", "(terminado)", "2.00×", "≥", "2.3×", "missed"],
        ["weight", "1.25", "MiB", "≤", "1.50", "MiB", "met"],
        ["told", "1,234", "s"],
    ]


def test_columns_are_in_line() -> None:
    heading, *lines = render(REPORT).splitlines()
    end = heading.index("weavers") + len("weavers")
    assert [line[:end].rpartition(" ")[2] for line in lines] == ["ms", "MB/s", "MiB", "s"]


def test_the_page_tells_machine_rows_and_notes() -> None:
    page = render_page(REPORT)
    assert "- processor: one of many" in page
    assert "- taken at: 2026-11-25 12:00 UTC\n" in page
    assert "| echo | 0.40 ms | 0.50 ms (terminado) | 0.80× | ≤ 0.8× | met |" in page
    assert "- **echo**: a key each 2 ms" in page


def test_a_report_survives_its_file(tmp_path: Path) -> None:
    results.write(REPORT, tmp_path / "folder" / "report.json")
    assert results.read(tmp_path / "folder" / "report.json") == REPORT
