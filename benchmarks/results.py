"""What a scenario finds: rows of a table, and how they are kept."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

TERMINADO = "terminado"


@dataclass(frozen=True, slots=True)
class Goal:
    """`of` is what the bound is about: our value against the reference's, or our value alone."""

    bound: float
    of: Literal["ratio", "value"] = "ratio"
    at_least: bool = False

    def is_met(self, row: Row) -> bool | None:
        """None where there is nothing to compare."""
        measured = row.ratio if self.of == "ratio" else row.ours
        if measured is None:
            return None
        return measured >= self.bound if self.at_least else measured <= self.bound


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    unit: str
    ours: float
    reference: float | None = None
    reference_name: str = TERMINADO
    goal: Goal | None = None
    note: str = ""
    samples: dict[str, list[float]] = field(default_factory=dict)
    """Each repeat's value by side, so that the spread can be judged."""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.reference if self.reference else None

    @property
    def met(self) -> bool | None:
        return self.goal.is_met(self) if self.goal else None


@dataclass(frozen=True, slots=True)
class Report:
    machine: dict[str, str]
    taken_at: str
    quick: bool
    scenarios: dict[str, list[Row]]

    @property
    def rows(self) -> Iterable[Row]:
        return [row for rows in self.scenarios.values() for row in rows]


def write(report: Report, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(report), indent=1, ensure_ascii=False) + "\n")


def read(path: Path) -> Report:
    stored: dict[str, Any] = json.loads(path.read_text())
    scenarios = {name: [_row(row) for row in rows] for name, rows in stored.pop("scenarios").items()}
    return Report(scenarios=scenarios, **stored)


def _row(stored: dict[str, Any]) -> Row:
    goal = stored.pop("goal")
    return Row(goal=Goal(**goal) if goal else None, **stored)
