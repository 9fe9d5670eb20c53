"""Rows of the source as Arrow batches of the contract's types.

The values travel as the text that the server writes, and Arrow parses whole columns of it: no value becomes a Python
number or date on the way, so no digit is lost. Whatever replaces this module keeps `batches`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from mysql.connector.abstracts import MySQLConnectionAbstract

from lake.contracts import Contract, types
from lake.errors import SourceError
from lake.extract.chunks import Chunk, quote

ROWS_PER_BATCH = 32_768


def statement(contract: Contract, columns: list[str], condition: str = "") -> str:
    """The SELECT of some columns of a table, in the order given."""
    names = ", ".join(quote(name) for name in columns)
    return f"SELECT {names} FROM {quote(contract.table)}" + (f" WHERE {condition}" if condition else "")


def batches(
    connection: MySQLConnectionAbstract, contract: Contract, chunk: Chunk, columns: list[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """The rows of one chunk, at most `ROWS_PER_BATCH` a batch, unbuffered: memory does not grow with the table.

    Raises:
        SourceError: a value does not fit the contract's type; column and value are named.
    """
    names = columns or contract.schema.names
    schema = pa.schema([contract.schema.field(name) for name in names])
    with connection.cursor(raw=True, buffered=False) as cursor:
        cursor.execute(statement(contract, names, chunk.condition), chunk.parameters)
        while rows := cursor.fetchmany(ROWS_PER_BATCH):
            values = zip(*rows, strict=True)
            arrays = [_column(contract.table, field, value) for field, value in zip(schema, values, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _column(table: str, field: pa.Field, values: tuple[Any, ...]) -> pa.Array:
    try:
        return _parse(pa.array(values, pa.binary()), field.type)
    except pa.ArrowInvalid as error:
        raise SourceError(
            f"column {table}.{field.name} holds {_culprit(values, field.type)!r}, which is no {field.type}: {error}",
            "correct the value in the shop, or change the column's type in the contract",
        ) from error


def _parse(texts: pa.Array, target: pa.DataType) -> pa.Array:
    """Text as MySQL writes it -> values of the Arrow type."""
    if pa.types.is_binary(target):
        return texts
    strings = texts.cast(pa.string())
    if pa.types.is_boolean(target):
        return pc.not_equal(strings.cast(pa.int32()), 0)
    if target == types.INSTANT:
        # The session's zone is UTC, so the text is UTC; the text itself carries no zone.
        return strings.cast(pa.timestamp("us")).cast(target)
    return strings.cast(target)


def _culprit(values: tuple[Any, ...], target: pa.DataType) -> str:
    for value in values:
        try:
            _parse(pa.array([value], pa.binary()), target)
        except pa.ArrowInvalid:
            return bytes(value).decode("utf-8", "backslashreplace")
    return "?"
