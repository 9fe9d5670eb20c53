"""``lake shop load`` and ``lake shop tick``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer
from pymysql.connections import Connection
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from lake.errors import LakeError
from lake.settings import settings

app = typer.Typer(help="The demo shop: fill it, and let it live.", no_args_is_help=True)
console = Console()


@contextmanager
def shop() -> Iterator[Connection[Any]]:
    """A connection to the shop that the settings name."""
    from lake.shop.database import connect

    config = settings()
    password = config.shop_password.get_secret_value()
    connection = connect(config.shop_host, config.shop_port, config.shop_user, password, config.source_database)
    try:
        yield connection
    finally:
        connection.close()


@app.command("load")
def load_command(
    anchor: Annotated[
        str | None, typer.Option(metavar="DATE", help="Everything happened before this day; default: today (UTC).")
    ] = None,
    sample: Annotated[float, typer.Option(metavar="FRACTION", help="Keep this fraction of the customers.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed of all that is invented.")] = 1,
    scale: Annotated[int, typer.Option(help="Repeat orders and all around them this many times.")] = 1,
    replace: Annotated[bool, typer.Option("--replace", help="Drop the shop's tables first.")] = False,
) -> None:
    """Fill the shop with a year of real baskets."""
    from lake.shop.load import load
    from lake.shop.replica import wait_for_replica

    day = _day(anchor) if anchor else datetime.now(UTC).date()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with shop() as connection, Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("making the shop from real baskets")
        loaded = 0

        def progress(table: str, rows: int) -> None:
            nonlocal loaded
            loaded += rows
            bar.update(task, description=f"loading {table} ({loaded:,} rows so far)")

        summary = load(connection, day, seed, sample, scale, replace, progress)
        bar.update(task, description="waiting for the replica")
        waited = wait_for_replica(connection)
    if not summary.is_new:
        console.print(f"The shop is already there ({summary.description}). Nothing was done; --replace loads it anew.")
        return
    console.print(summary.description)
    table = Table("table", "rows")
    table.columns[1].justify = "right"
    for name, rows in summary.rows.items():
        table.add_row(name, f"{rows:,}")
    console.print(table)
    console.print(
        f"{sum(summary.rows.values()):,} rows in {summary.seconds:.1f} s; the replica followed {waited:.1f} s later."
    )


@app.command("tick")
def tick_command(
    orders: Annotated[int, typer.Option(metavar="N", help="New orders; the rest happens in proportion.")] = 100,
    seed: Annotated[int | None, typer.Option(help="Seed of every choice; drawn when not given.")] = None,
) -> None:
    """Let the shop live: new orders, deliveries, cancellations, other prices, a customer who is forgotten."""
    from lake.shop.replica import wait_for_replica
    from lake.shop.tick import tick

    with shop() as connection:
        summary = tick(connection, orders, seed)
        table = Table("change", "rows or amount", title=f"The shop has lived (seed {summary.seed})")
        table.columns[1].justify = "right"
        for entry in fields(summary):
            if entry.name != "seed":
                table.add_row(entry.name.replace("_", " "), f"{getattr(summary, entry.name):,}")
        # Before the wait: what was done stays done, wherever the replica is.
        console.print(table)
        wait_for_replica(connection)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise LakeError(f"anchor {text!r} is not a day", "write it as YYYY-MM-DD, such as 2026-01-31") from error
