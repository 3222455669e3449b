"""`python -m benchmarks [scenario …] [--quick] [--output FILE]`."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine, results, stalls, table
from benchmarks.server import ROOT

SCENARIOS = (
    "create",
    "echo",
    "output",
    "idle",
    "thousand",
    "crowd",
    "flood",
    "client",
    "command_line",
    "lab",
)
# On a cluster, where KUBECONFIG names one; in a part of the page of its own.
ON_A_CLUSTER = "kubernetes"
LATEST = ROOT / "benchmarks/results/latest.json"
PAGE = ROOT / "docs/benchmarks.md"


def main() -> None:
    arguments = _arguments()
    chosen = arguments.scenarios or SCENARIOS
    report = results.Report(
        machine=machine.describe(),
        taken_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        quick=arguments.quick,
        scenarios={},
    )
    for name in chosen:
        print(f"{name} …", end=" ", file=sys.stderr, flush=True)
        started = time.monotonic()
        scenario = importlib.import_module(f"benchmarks.scenarios.{name}")
        report.scenarios[name] = asyncio.run(scenario.run(arguments.quick))
        print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)
        report.scenarios.pop("stalls", None)
        report.scenarios["stalls"] = stalls.rows()
        results.write(report, arguments.output)
    print(table.render(report))
    if set(chosen) == set(SCENARIOS) and not arguments.quick:
        PAGE.write_text(table.render_page(report, after=table.second_part(PAGE.read_text())))
    if chosen == [ON_A_CLUSTER] and not arguments.quick:
        PAGE.write_text(table.first_part(PAGE.read_text()) + table.render_second_part(report))


def _arguments() -> argparse.Namespace:
    known = (*SCENARIOS, ON_A_CLUSTER)
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="scenario", help=f"of {', '.join(known)}")
    parser.add_argument("--quick", action="store_true", help="few repeats and small sizes: two minutes")
    parser.add_argument("--output", type=Path, default=LATEST, help="where the figures go as JSON")
    arguments = parser.parse_args()
    if unknown := set(arguments.scenarios) - set(known):
        parser.error(f"unknown scenario {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return arguments


if __name__ == "__main__":
    main()
