"""Rows of the source as Arrow batches of the contract's types, decoded by `mysql_arrow` straight from the wire."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mysql_arrow
import pyarrow as pa
from pymysql.connections import Connection

from lake.contracts import Contract
from lake.errors import SourceError
from lake.extract.chunks import quote


def statement(contract: Contract, columns: list[str], condition: str = "") -> str:
    """The SELECT of some columns of a table, in the order given; a template, as `source.fetch` takes it."""
    names = ", ".join(f"{quote(contract.column_in_source(name))} AS {quote(name)}" for name in columns)
    return f"SELECT {names} FROM {quote(contract.name_in_source)}" + (f" WHERE {condition}" if condition else "")


def stream(
    connection: Connection[Any],
    contract: Contract,
    condition: str = "",
    columns: list[str] | None = None,
    hashes: bool = False,
) -> mysql_arrow.Stream:
    """The rows of a table that meet a condition, as they arrive: memory does not grow with the table.

    Args:
        condition: a template of SQL with its values in place; empty for the whole table.
        columns: those of the lake that are wanted, all by default.
        hashes: whether to sum up the rows' hashes on the way.
    """
    names = columns or contract.schema.names
    schema = pa.schema([contract.schema.field(name) for name in names])
    return mysql_arrow.query(connection, statement(contract, names, condition), (), schema=schema, hashes=hashes)


@contextmanager
def refusals(table: str) -> Iterator[None]:
    """What the reader refuses, as an error that names the column and the way out.

    Raises:
        SourceError: a column or a value cannot become what the contract says.
    """
    try:
        yield
    except (mysql_arrow.TypeRefused, mysql_arrow.ValueRefused) as error:
        raise SourceError(
            f"column {table}.{error.column}: {error}",
            "correct the value in the shop, or change the column's type in the contract",
        ) from error
