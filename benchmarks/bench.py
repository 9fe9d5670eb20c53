"""The command behind `make bench`: runs of every kind, Shoplake's and its peer's, over the same shop.

Prints tables, writes ``benchmarks/out/pipeline.json``, and fails when a figure is wrong: a fast wrong answer is not
worth measuring. What is measured and what is not stands in docs/benchmarks.md.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import psutil
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks import command, ours, rival, shop
from benchmarks.measure import Phase, ratio
from benchmarks.shop import Truth
from lake.commands.run import PIPELINE
from lake.errors import AuditError, LakeError
from lake.settings import settings
from lake.steps.start import code_version

OUT = Path(__file__).resolve().parent / "out"
MIB = 1024**2
ORDERS = 500
"""What an hour brings."""

CHANGES: dict[str, Callable[[], int]] = {
    "full": lambda: 0,
    "increment": shop.change_lines,
    "orders": lambda: shop.place_orders(ORDERS),
    "unchanged": lambda: 0,
}
"""The kinds of run, in their order: what is done to the shop before each, which answers how many order lines it was."""
console = Console()


@dataclass(frozen=True)
class Check:
    """Revenue and units of the daily mart on one side, and the shop's own; money as exact text in the JSON."""

    after: str
    shop: Truth
    answered: Truth

    @property
    def is_right(self) -> bool:
        """Whether both agree, to the cent and to the piece."""
        return self.shop == self.answered

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        sides = {"shop": self.shop, "answered": self.answered}
        figures = {name: {"revenue": str(side.revenue), "units": side.units} for name, side in sides.items()}
        return {"after": self.after, **figures, "is_right": self.is_right}


@dataclass
class Result:
    """What a benchmark found.

    Attributes:
        changed_lines: order lines that were written in the shop before the runs of a kind.
        lines_read: those that our run of a kind read.
        published: whether it published anything.
        disturbed_by: runs of the pipeline that came in between.
        rounds: of each phase its wall seconds, round by round.
    """

    scale: int
    order_lines: int
    began_at: datetime
    phases: dict[str, Phase] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    mart_rows: dict[str, dict[str, int]] = field(default_factory=dict)
    changed_lines: dict[str, int] = field(default_factory=dict)
    lines_read: dict[str, int] = field(default_factory=dict)
    published: dict[str, bool] = field(default_factory=dict)
    idle_cpu_seconds: dict[str, float] = field(default_factory=dict)
    disturbed_by: list[str] = field(default_factory=list)
    rounds: dict[str, list[float]] = field(default_factory=dict)

    def ratios(self) -> dict[str, dict[str, float | None]]:
        """How many times the peer's each of our figures is, for the kinds of run that both have done."""
        found = {}
        for kind in CHANGES:
            if (mine := self.phases.get(f"shoplake {kind}")) and (theirs := self.phases.get(f"peer {kind}")):
                found[kind] = {
                    "wall": ratio(mine.wall_seconds, theirs.wall_seconds),
                    "cpu": ratio(mine.cpu_seconds, theirs.cpu_seconds),
                    "peak_memory": ratio(mine.peak_bytes, theirs.peak_bytes),
                }
        return found

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "scale": self.scale,
            "order_lines": self.order_lines,
            "changed_lines": self.changed_lines,
            "lines_read": self.lines_read,
            "published": self.published,
            "began_at": self.began_at.isoformat(),
            "code_version": code_version(),
            "source": settings().shop_server,
            "machine": {
                "cpus": os.cpu_count(),
                "memory_bytes": psutil.virtual_memory().total,
                "python": platform.python_version(),
            },
            "phases": {name: phase.to_json() for name, phase in self.phases.items()},
            "ratios": self.ratios(),
            "checks": [check.to_json() for check in self.checks],
            "mart_rows": self.mart_rows,
            "platform_cpu_seconds_beside_peer": self.idle_cpu_seconds,
            "disturbed_by": self.disturbed_by,
            "rounds": self.rounds,
        }


def measure(scale: int, sides: tuple[str, ...]) -> Result:
    """Run everything in the order in which both sides see the same states of the shop.

    Raises:
        LakeError: the platform is not up, or a run failed.
    """
    ours.service_pids()
    if "peer" in sides:
        with console.status("the peer's environment"):
            rival.ensure_environment()
    with ours.Watched() as airflow:
        ours.wait_until_idle(airflow)
        shop.ensure(scale)
        result = Result(scale, shop.order_lines(), datetime.now(UTC))
        asked = 0
        for kind, change in CHANGES.items():
            with console.status(f"the shop before {kind}"):
                result.changed_lines[kind] = change()
            truth = shop.truth()
            for side in sides:
                with console.status(f"{side} {kind}"):
                    if side == "shoplake":
                        asked += 1
                        _ours(airflow, kind, truth, result)
                    else:
                        ours.wait_until_idle(airflow)
                        _peer(kind, truth, result)
                console.print(f"{side} {kind}: {result.phases[f'{side} {kind}'].wall_seconds:.1f} s")
        runs = airflow.runs_since(PIPELINE, result.began_at)
        if len(runs) > asked:
            result.disturbed_by = [run for run in runs if not run.startswith("manual__")] or runs
    return result


def of_rounds(results: list[Result]) -> Result:
    """The last of some rounds, with the phase of each kind that took the median time. The first round, which warms the
    Java machines up, does not count beside others."""
    counted = results[1:] or results
    last = results[-1]
    return replace(
        last,
        phases={name: _of_median_time([one.phases[name] for one in counted]) for name in last.phases},
        disturbed_by=[run for one in results for run in one.disturbed_by],
        rounds={name: [one.phases[name].wall_seconds for one in results] for name in last.phases},
    )


def _of_median_time(phases: list[Phase]) -> Phase:
    return sorted(phases, key=lambda phase: phase.wall_seconds)[(len(phases) - 1) // 2]


def _ours(airflow: ours.Watched, kind: str, truth: Truth, result: Result) -> None:
    name = f"shoplake {kind}"
    result.phases[name], receipt = ours.run(airflow, name, full=kind == "full", shared=rival.MARTS)
    result.lines_read[kind] = receipt["tables"]["order_items"]["read"]
    result.published[kind] = not receipt["unchanged_since"]
    result.checks.append(Check(name, truth, Truth(*ours.revenue_and_units())))
    result.mart_rows[name] = ours.mart_rows(rival.MARTS)


def _peer(kind: str, truth: Truth, result: Result) -> None:
    name = f"peer {kind}"
    result.phases[name], answered = rival.run(name, kind)
    result.checks.append(Check(name, truth, Truth(Decimal(answered["revenue"]), int(answered["units"]))))
    result.mart_rows[name] = answered["mart_rows"]
    result.idle_cpu_seconds[name] = answered["platform_idle_cpu_seconds"]


def refuse_wrong(result: Result) -> None:
    """Say what is wrong with the figures, if anything is.

    Raises:
        AuditError: a mart differs from the shop, or the sides' marts have different numbers of rows.
        LakeError: another run took the changes of one away, or found some where there are none.
    """
    wrong = [check for check in result.checks if not check.is_right]
    if wrong:
        told = "\n".join(
            f"{check.after}: daily_revenue has revenue {check.answered.revenue} and {check.answered.units} units, "
            f"the shop {check.shop.revenue} and {check.shop.units}"
            for check in wrong
        )
        raise AuditError(f"the times are worth nothing:\n{told}", "was the shop changed meanwhile (`lake shop tick`)?")
    for kind in CHANGES:
        mine, theirs = result.mart_rows.get(f"shoplake {kind}"), result.mart_rows.get(f"peer {kind}")
        if mine and theirs and mine != theirs:
            raise AuditError(
                f"after the run {kind} the marts differ in rows: Shoplake {mine}, the peer {theirs}",
                "the peer's SQL in benchmarks/peer/dbt must say the same as dbt/",
            )
    others = ", ".join(result.disturbed_by) or "by schedule"
    for kind, read in result.lines_read.items():
        if read < result.changed_lines[kind]:
            raise LakeError(
                f"the run {kind} read {read} order lines of {result.changed_lines[kind]} changed ones: another run was "
                f"first ({others})",
                "repeat, away from the full hour",
            )
    if result.published.get("unchanged"):
        raise LakeError(
            "the run unchanged published something, though nobody had changed the shop",
            "was it changed meanwhile (`lake shop tick`)?",
        )


# -- for people
def print_result(result: Result) -> None:
    """Tables: the phases side by side, the ratios, and where our time goes."""
    changed = ", ".join(f"{lines:,} before {kind}" for kind, lines in result.changed_lines.items() if lines)
    title = f"{result.order_lines:,} order lines; changed: {changed}"
    summary = Table("run", "wall s", "CPU s", "of it database", "peak MiB", "orchestration", title=title, box=None)
    for column in summary.columns[1:]:
        column.justify = "right"
    for phase in result.phases.values():
        share = "" if phase.orchestration_share is None else f"{phase.orchestration_share:.0%}"
        figures = (phase.wall_seconds, phase.cpu_seconds, phase.source_cpu_seconds)
        peak = f"{phase.peak_bytes / MIB:,.0f}"
        summary.add_row(phase.name, *(f"{figure:,.1f}" for figure in figures), peak, share)
    for kind, ratios in result.ratios().items():
        times = {name: "" if times is None else f"{times:.1f}×" for name, times in ratios.items()}
        summary.add_row(f"[bold]ratio, {kind}", times["wall"], times["cpu"], "", times["peak_memory"], "")
    console.print(summary)
    for name, walls in result.rounds.items():
        if len(walls) > 1:
            console.print(f"{name}, round by round: {', '.join(f'{wall:.1f}' for wall in walls)} s")
    for phase in result.phases.values():
        if phase.tasks:
            console.print(_tasks(phase))
            if phase.steps:
                console.print(", ".join(f"{name} {seconds:.1f} s" for name, seconds in phase.steps.items()))
            console.print(_services(phase))
    for check in result.checks:
        mark = "[green]equal[/]" if check.is_right else "[red]DIFFERENT[/]"
        console.print(f"{check.after}: revenue {check.answered.revenue:,} against the shop's own: {mark}")
    if result.disturbed_by:
        console.print(f"[yellow]other runs came in between: {', '.join(result.disturbed_by)}[/]")


def _tasks(phase: Phase) -> Table:
    table = Table("task", "seconds", "peak RSS MiB", title=phase.name, title_justify="left", box=None)
    for task in phase.tasks:
        table.add_row(
            escape(task.name), f"{task.seconds:.1f}", f"{task.peak_bytes / MIB:,.0f}" if task.peak_bytes else ""
        )
    return _right(table)


def _services(phase: Phase) -> Table:
    table = Table("service", "CPU s", "peak MiB", box=None)
    for name, used in sorted(phase.cpu_by_service.items(), key=lambda item: -item[1]):
        table.add_row(name, f"{used:.1f}", f"{phase.peak_by_service.get(name, 0) / MIB:,.0f}")
    return _right(table)


def _right(table: Table) -> Table:
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def bench(
    scale: Annotated[int, typer.Option(min=1, max=100, help="Copies of the shop's year of orders.")] = 1,
    only: Annotated[Literal["shoplake", "peer"] | None, typer.Option(help="Measure one side alone.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Of more than one the first does not count.")] = 1,
) -> None:
    """Measure Shoplake and its peer on the running platform. The shop is loaded anew if its scale differs."""
    results = []
    for _ in range(rounds):
        results.append(measure(scale, (only,) if only else ("shoplake", "peer")))
        refuse_wrong(results[-1])
    result = of_rounds(results)
    OUT.mkdir(exist_ok=True)
    text = json.dumps(result.to_json(), indent=1)
    for file in (OUT / "pipeline.json", OUT / f"pipeline-scale-{scale}.json"):
        file.write_text(text)
    print_result(result)
    console.print(f"[dim]{OUT / 'pipeline.json'}[/]")


if __name__ == "__main__":
    command.run(bench)
