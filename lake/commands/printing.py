"""How commands print rows."""

from __future__ import annotations

import csv
import json
import sys
from enum import StrEnum
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

console = Console()


class Format(StrEnum):
    """How rows are printed."""

    table = "table"
    csv = "csv"
    json = "json"


def print_rows(names: list[str], rows: list[list[Any]], format: Format = Format.table) -> None:
    """Print rows under their columns' names."""
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
