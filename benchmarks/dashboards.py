"""The command behind `make bench-dashboards`: how long Trino takes for each chart of the dashboards.

    python -m benchmarks.dashboards --rounds 5

Trino must be up over a published lake (`lake up`, `lake run`). Each chart's statement is its dataset's own
(`infra.superset.statements`), and around it what Superset puts there: the period that the dashboard opens with, the
grain of a point, the split, the metric's expression. It is asked by the dashboards' own user, over a connection of
its own, as Superset does without its cache. The first round, in which Trino meets each plan for the first time, is told
apart from the rest, of which each statement has its median. Prints a line a dashboard and writes
``benchmarks/out/dashboards.json``. No time is ever asserted.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import command
from infra.superset.declared import Chart, marts_of, read
from infra.superset.listed import sql_of
from infra.superset.statements import AT, expression, statement
from infra.superset.sums import is_of_sums
from lake.metrics.compiler import Compiler
from lake.metrics.definitions import Metrics, load
from lake.platform import sql
from lake.settings import settings

OUT = Path(__file__).resolve().parent / "out" / "dashboards.json"
USER = "dashboards"
console = Console()


@dataclass(frozen=True)
class Asked:
    """One chart, with the seconds of each round and the rows that it was given."""

    board: str
    chart: str
    seconds: list[float]
    rows: int

    @property
    def warm(self) -> float:
        """Median of all rounds but the first."""
        return median(self.seconds[1:] or self.seconds)


def asked_of(metrics: Metrics, compiler: Compiler, chart: Chart, marts: list[str], days: int | None) -> str:
    """What Superset asks Trino for a chart.

    Args:
        marts: names of the tables that the dashboards draw from.
        days: of the period, counted back from today; None for all that there is.
    """
    if chart.metric is None:
        return sql_of(chart.check, marts)
    grain = chart.metric.grain if is_of_sums(metrics, chart.metric) else chart.grain
    by = [chart.by] if chart.by else []
    dataset = statement(metrics, compiler, chart.metric, by, grain)
    split = [*by] if chart.form == "bars" else [f"date_trunc('{chart.grain}', {AT})", *by]
    since = f"WHERE {AT} >= date_add('day', -{days}, current_date)" if days else ""
    groups = ", ".join(str(place + 1) for place in range(len(split)))
    return (
        f"SELECT {', '.join(split)}, {expression(metrics, chart.metric)} AS {chart.metric.name} "
        f"FROM ({dataset}) AS asked {since} GROUP BY {groups} LIMIT 10000"
    )


def days_of(period: str) -> int | None:
    """How many days a dashboard's period goes back: `Last 90 days`."""
    words = period.split()
    return int(words[1]) if words[:1] == ["Last"] and words[2:] == ["days"] else None


def measure(rounds: int, whole: bool) -> list[Asked]:
    """Ask for each chart of each dashboard, round by round.

    Args:
        whole: over all days that there are, in place of the period that the dashboard opens with.
    """
    metrics = load()
    compiler = Compiler(metrics.manifest)
    boards = read(metrics)
    marts = marts_of(boards)
    asked = [
        (board.slug, chart.name, asked_of(metrics, compiler, chart, marts, None if whole else days_of(board.period)))
        for board in boards
        for chart in board.charts
    ]
    seconds: dict[str, list[float]] = {chart: [] for _, chart, _ in asked}
    rows: dict[str, int] = {}
    for number in range(rounds + 1):
        for _, chart, text in asked:
            began = time.perf_counter()
            rows[chart] = _ask(text)
            seconds[chart].append(time.perf_counter() - began)
        console.print(f"round {number}: {sum(each[-1] for each in seconds.values()):.1f} s for {len(asked)} charts")
    return [Asked(board, chart, seconds[chart], rows[chart]) for board, chart, _ in asked]


def _ask(text: str) -> int:
    login = sql.Login(USER, settings().trino_dashboards_password, "LAKE_TRINO_DASHBOARDS_PASSWORD")
    with sql.connect(schema="marts", login=login) as connection:
        cursor = connection.cursor()
        cursor.execute(text)
        return len(cursor.fetchall())


def p95(values: list[float]) -> float:
    """Of some seconds; of one, itself."""
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def to_json(found: list[Asked]) -> dict[str, Any]:
    """Plain values: each chart, and over all of them every warm question's median and 95th percentile, seconds."""
    warm = [seconds for each in found for seconds in each.seconds[1:] or each.seconds]
    return {
        "charts": [{**asdict(each), "warm": each.warm} for each in found],
        "p50": median(warm),
        "p95": p95(warm),
        "first_round": sum(each.seconds[0] for each in found),
    }


def print_result(found: list[Asked]) -> None:
    """A line a dashboard, and one over all."""
    table = Table("dashboard", "charts", "p50 s", "p95 s", "slowest", "first round s", box=None)
    boards = list(dict.fromkeys(each.board for each in found))
    for name in [*boards, "all"]:
        charts = [each for each in found if name in (each.board, "all")]
        warm = [seconds for each in charts for seconds in each.seconds[1:] or each.seconds]
        slowest = max(charts, key=lambda each: each.warm)
        table.add_row(
            name, str(len(charts)), f"{median(warm):.2f}", f"{p95(warm):.2f}", f"{slowest.chart} {slowest.warm:.2f}",
            f"{sum(each.seconds[0] for each in charts):.1f}",
        )  # fmt: skip
    console.print(table)


def bench(
    rounds: Annotated[int, typer.Option(min=1, help="After the first, which is told apart.")] = 5,
    whole: Annotated[bool, typer.Option(help="Over all days, in place of each dashboard's own period.")] = False,
) -> None:
    """Measure the statements of every chart."""
    found = measure(rounds, whole)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(to_json(found), indent=1))
    print_result(found)


if __name__ == "__main__":
    command.run(bench)
