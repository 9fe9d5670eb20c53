"""``lake sql`` and ``tables``: what the lake holds."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from lake.commands.printing import Format, print_rows
from lake.commands.views import viewed


def sql(
    statement: Annotated[str, typer.Argument(help="One SQL statement for Trino.")],
    format: Annotated[Format, typer.Option(help="How to print the rows.")] = Format.table,
    branch: Annotated[str | None, typer.Option(help="A run's branch instead of main.")] = None,
    at: Annotated[str | None, typer.Option(help="A commit of main: the lake as it was.")] = None,
) -> None:
    """Run SQL on Trino, on the published lake unless told otherwise."""
    from lake.platform import sql as trino_sql

    with viewed(branch or (f"main@{at}" if at else None)) as catalog:
        names, rows = trino_sql.query(statement, catalog)
    print_rows(names, rows, format)


def tables(json_: Annotated[bool, typer.Option("--json")] = False) -> None:
    """List the published tables, and up to when parity has proven them equal to their sources."""
    from lake.ledger import parity_ledger
    from lake.platform import catalog

    names = catalog.tables()
    if json_:
        typer.echo(json.dumps(names))
        return
    proven = parity_ledger.verified_through()
    rows = []
    for layer, table in (name.split(".", 1) for name in names):
        through = proven.get(table) if layer == "cleaned" else None
        rows.append([layer, table, f"{through:%Y-%m-%d %H:%M:%S}" if through else ""])
    print_rows(["layer", "table", "verified through (UTC)"], rows)
