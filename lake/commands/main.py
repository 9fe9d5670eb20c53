"""The command `lake`."""

from __future__ import annotations

from collections.abc import Callable

import typer
from rich.console import Console
from rich.markup import escape

from lake import logs
from lake.commands import (
    docs,
    doctor,
    exporter,
    follow,
    lineage,
    maintenance,
    metric,
    parity,
    query,
    receipts,
    run,
    services,
    show_logs,
    sources,
    trace,
)
from lake.commands.alerts import app as alerts
from lake.commands.keys import app as keys
from lake.commands.recommend import app as recommend
from lake.commands.report import app as report
from lake.commands.search import app as search
from lake.commands.shop import app as shop
from lake.errors import LakeError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)

NAMES: dict[Callable[..., None], str] = {sources.list_sources: "sources", services.install_parts: "install"}
"""Of commands whose functions are named otherwise."""

for command in (
    run.run,
    query.sql,
    query.tables,
    metric.metric,
    docs.docs,
    receipts.receipts,
    lineage.lineage,
    trace.trace,
    parity.parity,
    maintenance.maintenance,
    sources.add_source,
    sources.remove_source,
    sources.list_sources,
    sources.add_table,
    follow.follow,
    services.install_parts,
    services.up,
    services.down,
    services.status,
    doctor.doctor,
    show_logs.logs,
    exporter.exporter,
):
    app.command(NAMES.get(command))(command)
app.add_typer(shop, name="shop", help="The demo shop: load it, let it live.")
app.add_typer(alerts, name="alerts", help="Alert rules: try one on a day, list when they fired.")
app.add_typer(
    recommend, name="recommend", help="Recommendations: make, measure and show them, go back to earlier ones."
)
app.add_typer(search, name="search", help="Search in the shop's products: look, build the index, measure it.")
app.add_typer(keys, name="keys", help="Keys for the serving API: make one, list them, revoke one.")
app.add_typer(report, name="report", help="Reports that the published lake gave rise to.")


def main() -> None:
    """Run the command line; an error that a person can mend is one clear line and exit code 1."""
    try:
        logs.configure()
        app()
    except LakeError as error:
        Console(stderr=True).print(f"[red]{type(error).__name__}[/]: {escape(str(error))}", highlight=False)
        raise SystemExit(1) from error
