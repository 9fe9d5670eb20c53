"""The command `lake`."""

from __future__ import annotations

import csv
import json
import sys
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lake.errors import LakeError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
console = Console()


class Format(StrEnum):
    """How rows are printed."""

    table = "table"
    csv = "csv"
    json = "json"


@app.command()
def run(full: Annotated[bool, typer.Option("--full", help="Read every table whole.")] = False) -> None:
    """Run the pipeline through Airflow and follow it."""
    from lake.commands.run import run_pipeline

    run_pipeline(full, console)


@app.command()
def sql(
    statement: Annotated[str, typer.Argument(help="One SQL statement for Trino.")],
    format: Annotated[Format, typer.Option(help="How to print the rows.")] = Format.table,
    branch: Annotated[str | None, typer.Option(help="A run's branch instead of main.")] = None,
    at: Annotated[str | None, typer.Option(help="A commit of main: the lake as it was.")] = None,
) -> None:
    """Run SQL on Trino, on the published lake unless told otherwise."""
    from lake.platform import sql as trino_sql

    if branch or at:
        reference = branch or f"main@{at}"
        name = f"view_{reference.replace('@', '_')[:40]}"
        with trino_sql.catalog_at(name, reference):
            names, rows = trino_sql.query(statement, name)
    else:
        names, rows = trino_sql.query(statement)
    _print_rows(names, rows, format)


@app.command()
def tables(json_: Annotated[bool, typer.Option("--json")] = False) -> None:
    """List the published tables."""
    from lake.platform import catalog

    names = catalog.tables()
    if json_:
        typer.echo(json.dumps(names))
    else:
        _print_rows(["layer", "table"], [name.split(".", 1) for name in names], Format.table)


@app.command()
def receipts(json_: Annotated[bool, typer.Option("--json")] = False) -> None:
    """List what was published, the newest first."""
    from lake.ledger.receipts import receipts as all_receipts

    found = all_receipts()
    if json_:
        typer.echo(json.dumps([receipt.to_json() for receipt in found], indent=1))
        return
    rows = [
        [r.run_id, r.published_at[:19], r.source_instant[:19], sum(t["read"] for t in r.tables.values()),
         f"{r.checks['checks']} ({len(r.checks['warnings'])} warnings)", r.lake_commit[:12]]
        for r in found
    ]  # fmt: skip
    _print_rows(["run", "published (UTC)", "source as of (UTC)", "rows read", "checks", "commit"], rows, Format.table)


@app.command(name="add-source")
def add_source(
    url: Annotated[str, typer.Argument(help="mysql://user:password@host:port/database")],
    name: Annotated[str | None, typer.Option(help="Its name in the lake; else made from the database's.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Give a source another address or password.")] = False,
) -> None:
    """Let the lake read another database: tries it, and remembers address and password apart."""
    from dataclasses import replace as with_changed

    from pydantic import SecretStr

    from lake.commands import add_table as adding
    from lake.source import sources

    source = sources.from_url(url, name)
    if not source.password.get_secret_value() and sys.stdin.isatty():
        asked = typer.prompt(f"Password of {source.where}", hide_input=True, default="", show_default=False)
        source = with_changed(source, password=SecretStr(asked))
    console.print(escape(adding.add_source(source, replace)))
    console.print(f"its tables come with `lake add-table --all --source {source.name}`", style="dim")


@app.command(name="remove-source")
def remove_source(name: Annotated[str, typer.Argument(help="An added source.")]) -> None:
    """Forget a source and its password; its contracts and its tables in the lake stay."""
    from lake.source import sources

    sources.remove(name)
    console.print(f"source {name} is forgotten")


@app.command(name="sources")
def list_sources() -> None:
    """List the databases that the lake reads."""
    from lake.contracts.load import files
    from lake.source import sources

    rows = [[source.name, source.where, len(files(source.name))] for source in sources.known().values()]
    _print_rows(["source", "address", "contracts"], rows, Format.table)


@app.command(name="add-table")
def add_table(
    names: Annotated[list[str] | None, typer.Argument(help="Tables, as the source has them.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every table that has no contract yet.")] = False,
    source: Annotated[
        str | None, typer.Option(help="Where they are; else every added source, or the shop if none was added.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite contracts that exist.")] = False,
) -> None:
    """Write the contracts of tables from the database's own schema."""
    from lake.commands.add_table import add_tables

    if bool(names) == every:
        raise typer.BadParameter("name tables, or say --all")
    added = add_tables(names or [], every, source, replace)
    for note in added.notes:
        console.print(f"[yellow]note[/]  {escape(note)}", highlight=False)
    for file in added.written:
        console.print(f"wrote {escape(str(file))}", highlight=False, soft_wrap=True)
    if not added.written:
        console.print("every table has its contract: nothing was written")


def _print_rows(names: list[str], rows: list[list[Any]], format: Format) -> None:
    if format is Format.json:
        typer.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=str, indent=1))
    elif format is Format.csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(names)
        writer.writerows(rows)
    else:
        table = Table(*names, box=None)
        for row in rows:
            table.add_row(*["" if value is None else str(value) for value in row])
        console.print(table)


def _mount() -> None:
    """Add the commands of the other modules."""
    from lake.commands import services
    from lake.commands.report import app as report
    from lake.commands.shop import app as shop

    app.command("install")(services.install_parts)
    for command in (services.up, services.down, services.status, services.logs):
        app.command()(command)
    app.add_typer(shop, name="shop", help="The demo shop: load it, let it live.")
    app.add_typer(report, name="report", help="Reports that the published lake gave rise to.")


def main() -> None:
    """Run the command line; an error that a person can mend is one clear line and exit code 1."""
    _mount()
    try:
        app()
    except LakeError as error:
        Console(stderr=True).print(f"[red]{type(error).__name__}[/]: {escape(str(error))}", highlight=False)
        raise SystemExit(1) from error
