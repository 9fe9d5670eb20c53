"""Rows of the source as Arrow batches of the contract's types, decoded by `mysql_arrow` straight from the wire."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mysql_arrow
import pyarrow as pa
from pymysql.connections import Connection

from lake.contracts import PROBLEMS, Contract
from lake.contracts.model import Unreadable
from lake.errors import SourceError
from lake.source.quoting import quote

_POLICIES: dict[Unreadable, str] = {"quarantine": "problem", "null": "null", "refuse": "error"}


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
        columns: some columns only, all of whose values have to be readable. Without them the stream has the contract's
            `read_schema`, and does with unreadable values what the contract says.
        hashes: whether to sum up the rows' hashes on the way.
    """
    names = columns or contract.schema.names
    policies = {} if columns else {name: _POLICIES[contract.when_unreadable(name)] for name in names}
    return mysql_arrow.query(
        connection,
        statement(contract, names, condition),
        (),
        schema=pa.schema([contract.schema.field(name) for name in names]),
        columns=policies,
        problems=None if columns else PROBLEMS,
        hashes=hashes,
    )


def nulled(contract: Contract, rows: mysql_arrow.Stream) -> dict[str, int]:
    """By column, how many of the rows read so far have NULL in the lake because the contract wants it so."""
    counts = rows.stats.nulled.items()
    return {name: count for name, count in counts if contract.when_unreadable(name) == "null"}


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
            f"{table}.{error.column}: {error}",
            "correct the source; or, where it is a value and no key, let the contract say `unreadable: quarantine` or "
            "`unreadable: null` (docs/types.md)",
        ) from error
