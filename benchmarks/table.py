"""The report as a table for a terminal, and as a page of the documentation."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.results import Goal, Report, Row

HEADINGS = ("", "weavers", "reference", "ratio", "goal", "")
VERDICTS = {None: "", True: "met", False: "missed"}
PAGE = """\
# Measured against Jupyter's own terminals

`make bench` writes this page. Weavers and `jupyter_server_terminals` (terminado) are extensions of one
Jupyter server, run the same `/bin/sh`, and are visited by the same client; repeats alternate between the
two, and a figure is the median of its repeats. Read the ratios rather than the figures: those are this
machine's.

{machine}

{table}

## Notes

{notes}
{after}"""
SECOND_PART = """\

## On Kubernetes, against its own API

`scripts/bench kubernetes` writes this part, on the cluster that `KUBECONFIG` names. The references are
the API server's answers and kubectl, in the same run on the same machine.

{machine}

{table}

{notes}
"""


def render(report: Report) -> str:
    """For a terminal: columns in line."""
    cells = [HEADINGS, *(_cells(row) for row in report.rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    return "\n".join(_aligned(line, widths) for line in cells)


def render_page(report: Report, after: str = "") -> str:
    """As docs/benchmarks.md; `after` is its second part."""
    return PAGE.format(**_parts(report), after=after)


def render_second_part(report: Report) -> str:
    return SECOND_PART.format(**_parts(report))


def first_part(page: str) -> str:
    return page[: _second_part_at(page)]


def second_part(page: str) -> str:
    return page[_second_part_at(page) :]


def _second_part_at(page: str) -> int:
    heading = SECOND_PART.split("\n\n", maxsplit=1)[0]
    return page.find(heading) if heading in page else len(page)


def _parts(report: Report) -> dict[str, str]:
    table = [HEADINGS, ("---",) * len(HEADINGS), *(_cells(row) for row in report.rows)]
    notes = [f"- **{row.name}**: {row.note}" for row in report.rows if row.note]
    machine = [f"- {name}: {value}" for name, value in report.machine.items()]
    machine.append(f"- taken at: {report.taken_at}" + (" (a quick run)" if report.quick else ""))
    return {
        "machine": "\n".join(machine),
        "table": "\n".join("| " + " | ".join(line) + " |" for line in table),
        "notes": "\n".join(notes),
    }


def _cells(row: Row) -> Sequence[str]:
    reference = "" if row.reference is None else f"{_figure(row.reference, row.unit)} ({row.reference_name})"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}×"
    goal = _goal(row.goal, row.unit) if row.goal else ""
    return (row.name, _figure(row.ours, row.unit), reference, ratio, goal, VERDICTS[row.met])


def _goal(goal: Goal, unit: str) -> str:
    sign = "≥" if goal.at_least else "≤"
    return f"{sign} {goal.bound:g}×" if goal.of == "ratio" else f"{sign} {_figure(goal.bound, unit)}"


def _figure(value: float, unit: str) -> str:
    """Three digits are as many as a busy machine gives again."""
    digits = 0 if abs(value) >= 100 or value == int(value) else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.ljust(width) if column == 0 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(line, widths, strict=True))
    )
    return "  ".join((first, *others)).rstrip()
