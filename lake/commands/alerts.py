"""``lake alerts``: what the rules come to, and when they fired."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from lake.commands.days import day
from lake.commands.printing import console
from lake.commands.views import viewed
from lake.errors import LakeError, nearest
from lake.settings import settings

app = typer.Typer(help="Alert rules: try one, list when they fired.", no_args_is_help=True)


@app.command("test")
def try_rule(
    name: Annotated[str, typer.Argument(help="Of the rule.")],
    at: Annotated[str, typer.Option(metavar="DAY", help="The day that is judged (UTC); by default yesterday.")] = "",
    commit: Annotated[str, typer.Option(metavar="COMMIT", help="A commit of main: the lake as it was.")] = "",
) -> None:
    """Say what a rule comes to on a day, and why. Nobody is told."""
    from lake.alerts.evaluate import evaluate
    from lake.alerts.rules import load

    rules = {rule.name: rule for rule in load(settings().alert_rules)}
    if name not in rules:
        raise LakeError(f"there is no rule {name!r} in {settings().alert_rules}", nearest(name, rules))
    judged = day("--at", at) if at else (datetime.now(UTC) - timedelta(days=1)).date()
    with viewed(f"main@{commit}" if commit else None) as catalog:
        found = evaluate([rules[name]], judged + timedelta(days=1), catalog)
    for finding in found:
        console.print(f"{finding.state:<8} {finding.summary}", highlight=False, markup=False)
        if finding.why:
            console.print(f"         {finding.why}", highlight=False, markup=False)


@app.command("chart")
def open_chart(
    address: Annotated[str, typer.Argument(help="Where it is kept; the alert's annotation `chart` says so.")],
) -> None:
    """Fetch the chart of an alert and show it where there is a display; its file is printed."""
    from lake.alerts import chart
    from lake.commands import report

    file = report.fetch(address, chart.PLACE, "an alert's annotation `chart` says where its chart is kept")
    console.print(f"file     {file}", soft_wrap=True, highlight=False)
    report.show(file)


@app.command("history")
def list_episodes(
    days: Annotated[int, typer.Option(min=1, help="How far back.")] = 30,
) -> None:
    """When rules fired, the last one first."""
    from lake.alerts import history

    told = history.kept(datetime.now(UTC) - timedelta(days=days))
    found = history.episodes(told)
    if not found:
        console.print(f"No rule fired in the last {days} days; they were evaluated at {len(told)} receipts.")
        return
    table = Table("rule", "segment", "since (UTC)", "until", box=None)
    for title in ("what", "why"):
        table.add_column(title, overflow="fold")
    for one in found:
        until = f"{one.until:%Y-%m-%d %H:%M}" if one.until else "now"
        # What the shop calls its segments is no markup.
        segment, what, reason = map(escape, (one.segment, one.summary, one.why))
        table.add_row(one.rule, segment, f"{one.since:%Y-%m-%d %H:%M}", until, what, reason)
    console.print(table)
