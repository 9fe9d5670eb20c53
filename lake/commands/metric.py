"""``lake metric``: what a business metric is, and which there are."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from lake.commands.days import day
from lake.commands.printing import console, print_rows
from lake.commands.views import viewed

if TYPE_CHECKING:
    from lake.metrics.definitions import Metrics


def metric(
    name: Annotated[str, typer.Argument(help="Which one; without it, all are listed.")] = "",
    by: Annotated[
        list[str] | None, typer.Option(metavar="DIM", help="Split it by a dimension; may be repeated.")
    ] = None,
    grain: Annotated[str, typer.Option(metavar="PERIOD", help="day, week, month, quarter or year.")] = "",
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="First day (UTC), YYYY-MM-DD.")] = "",
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="Last day, which counts too.")] = "",
    at: Annotated[str, typer.Option(metavar="COMMIT", help="A commit of main: the metric as it was.")] = "",
    json_: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Ask for a metric, such as revenue --by category --grain month."""
    from lake.metrics import ask, definitions
    from lake.metrics.compiler import Compiler
    from lake.metrics.wording import told

    metrics = definitions.load()
    if not name:
        _list(metrics, json_)
        return
    found = metrics.get(name)
    begins, ends = (day(option, text) if text else None for option, text in (("--from", first), ("--to", last)))
    question = ask.Question(found, tuple(by or ()), grain, begins, ends)
    with viewed(f"main@{at}" if at else None) as catalog:
        answer = ask.ask(Compiler(metrics.manifest), question, catalog)
    if json_:
        typer.echo(json.dumps(answer.told(), indent=1))
        return
    print_rows(answer.columns, [[*row[:-1], told(row[-1], found.unit)] for row in answer.rows])
    console.print(f"{found.label} ({found.unit}): {found.description}", highlight=False, markup=False)
    if all(row[-1] is None for row in answer.rows):
        console.print("There is nothing in this period.")


def _list(metrics: Metrics, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in metrics], indent=1))
        return
    for is_helper, title in ((False, "metric"), (True, "helper of others")):
        table = Table(box=None)
        table.add_column(title, no_wrap=True)
        for other in ("unit", "by", "what it is"):
            table.add_column(other, overflow="fold")
        for one in metrics:
            if one.is_helper == is_helper:
                table.add_row(one.name, one.unit, ", ".join(one.dimensions), one.description)
        console.print(table)
