"""Rows of given keys: which of them the snapshot holds, and the conditions that read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from pymysql.connections import Connection

from lake.changes import ranges
from lake.changes.increment import Piece
from lake.changes.ranges import Condition, rendered, sql_value
from lake.contracts import Contract
from lake.source import reader
from lake.source.quoting import quote

PER_PIECE = 900
"""Keys of one condition: MariaDB turns a list of 1000 into a join with a temporary table."""


def conditions(contract: Contract, keys: pa.Table) -> Iterator[Condition]:
    """Conditions on the key's index that together name all the keys.

    Under a collation that takes different texts for equal, a condition finds the row whose key the server takes for
    equal to one named, which may be written otherwise.
    """
    columns = [quote(contract.column_in_source(name)) for name in contract.key]
    for start in range(0, keys.num_rows, PER_PIECE):
        rows = [tuple(map(sql_value, row.values())) for row in keys.slice(start, PER_PIECE).to_pylist()]
        parameters: tuple[Any, ...] = tuple(value for row in rows for value in row)
        if len(columns) == 1:
            yield f"{columns[0]} IN ({', '.join(['%s'] * len(rows))})", parameters
        else:
            one = " AND ".join(f"{column} = %s" for column in columns)
            yield " OR ".join([f"({one})"] * len(rows)), parameters


def pieces(connection: Connection[Any], contract: Contract, keys: pa.Table) -> list[Piece]:
    """What reads the rows of all the keys."""
    return [Piece(rendered(connection, condition)) for condition in conditions(contract, keys)]


def present(connection: Connection[Any], contract: Contract, keys: pa.Table) -> pa.Table:
    """The keys that the snapshot holds, exactly as they are written there, and no others."""
    found = [read_keys(connection, contract, condition) for condition in conditions(contract, keys)]
    return same(pa.concat_tables(found), keys) if found else keys.slice(0, 0)


def read_keys(connection: Connection[Any], contract: Contract, condition: Condition) -> pa.Table:
    """Keys of the rows that a condition finds."""
    schema = key_schema(contract)
    with reader.refusals(contract.table):
        stream = reader.stream(connection, contract, rendered(connection, condition), schema.names)
        return pa.Table.from_batches([pa.record_batch(batch) for batch in stream], schema)


def key_schema(contract: Contract) -> pa.Schema:
    """Schema of a table of keys."""
    return pa.schema([contract.schema.field(name) for name in contract.key])


def to_json(keys: pa.Table) -> list[list[Any]]:
    """Keys in plain JSON values."""
    return [ranges.to_json(tuple(row.values())) for row in keys.to_pylist()]


def from_json(contract: Contract, keys: Sequence[Sequence[Any]]) -> pa.Table:
    """The inverse of `to_json`."""
    schema = key_schema(contract)
    rows = [ranges.from_json(key, contract) for key in keys]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.table(arrays, schema=schema)


def same(left: pa.Table, right: pa.Table) -> pa.Table:
    """Keys of `left` that `right` has too, value for value."""
    return left.join(right, keys=left.column_names, join_type="left semi")


def without(left: pa.Table, right: pa.Table) -> pa.Table:
    """Keys of `left` that `right` has not."""
    return left.join(right, keys=left.column_names, join_type="left anti")
