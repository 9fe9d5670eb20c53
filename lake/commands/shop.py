"""``lake shop load`` and ``lake shop tick``."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from threading import Event, Thread
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pymysql.connections import Connection
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from lake.commands.days import day
from lake.errors import LakeError
from lake.settings import settings

if TYPE_CHECKING:
    from lake.shop.tick import Lived, TickSummary

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

    on = day("anchor", anchor) if anchor else datetime.now(UTC).date()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with shop() as connection, Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("making the shop from real baskets")
        loaded = 0

        def progress(table: str, rows: int) -> None:
            nonlocal loaded
            loaded += rows
            bar.update(task, description=f"loading {table} ({loaded:,} rows so far)")

        summary = load(connection, on, seed, sample, scale, replace, progress)
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
    orders: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="New orders, as fast as they go; the rest happens in proportion.  [default: 100]"
        ),
    ] = None,
    rate: Annotated[
        float | None, typer.Option(metavar="R", help="New orders a second, steadily: with --minutes.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(metavar="M", help="How long at that rate; Ctrl-C ends it earlier.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of every choice; drawn when not given.")] = None,
) -> None:
    """Let the shop live: new orders, deliveries, cancellations, other prices, a customer who is forgotten."""
    from lake.shop.replica import wait_for_replica
    from lake.shop.tick import live, tick

    if (rate is None) != (minutes is None):
        raise LakeError("--rate and --minutes belong together", "give both, such as --rate 20 --minutes 30")
    if rate is not None and orders is not None:
        raise LakeError("--orders does not go with --rate", "give --orders N, or --rate R and --minutes M")
    with shop() as connection:
        if rate is None or minutes is None:
            _print_changes(tick(connection, 100 if orders is None else orders, seed))
        else:
            with _stopped_by_signals() as stop:
                lived = live(connection, rate, minutes, seed, stop)
            _print_changes(lived.changes)
            console.print(_pace(lived), highlight=False)
        # After what was done was printed: it stays done, wherever the replica is.
        wait_for_replica(connection)


@contextmanager
def _stopped_by_signals() -> Iterator[Event]:
    """An event that the first Ctrl-C or SIGTERM sets, so that nothing is cut in two; the second one ends us at once."""
    stop = Event()
    before: dict[int, Any] = {}

    def request(*_: object) -> None:
        # Not by this thread, which the signal may have met inside the event's own lock.
        Thread(target=stop.set).start()
        for number, handler in before.items():
            signal.signal(number, handler)

    for wanted in (signal.SIGINT, signal.SIGTERM):
        before[wanted] = signal.signal(wanted, request)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _print_changes(summary: TickSummary) -> None:
    table = Table("change", "rows or amount", title=f"The shop has lived (seed {summary.seed})")
    table.columns[1].justify = "right"
    for entry in fields(summary):
        if entry.name != "seed":
            table.add_row(entry.name.replace("_", " "), f"{getattr(summary, entry.name):,}")
    console.print(table)


def _pace(lived: Lived) -> str:
    """How fast the shop lived, beside what was asked for."""
    done = f"{lived.changes.orders_placed:,} orders in {lived.seconds:,.1f} s: {lived.rate:.2f} a second"
    if lived.kept_up:
        return f"{done}, as asked"
    return f"{done}; {lived.asked_rate:g} were asked for, which this machine and its database cannot keep"
