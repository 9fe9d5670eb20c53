"""One pass over a source's binlog, from the last run's place to the snapshot's: the keys that changed, per table.

Values are not taken from here: the rows of these keys are read from the snapshot by the one decoder that reads
everything, and keys that are gone become deletes. So it does no harm to see too much (a transaction that was rolled
back, one that the snapshot does not hold yet), and the pass may end anywhere behind the snapshot's place.

`mysql_arrow.binlog` reads the events. What its findings mean is decided here: whatever may hide a change ends the
trust, in the whole stream (`Resnapshot`), or in one table, which is then read anew (`Changes.resnapshot`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import mysql_arrow
import pyarrow as pa
import pyarrow.compute as pc
from mysql_arrow import binlog
from pymysql.connections import Connection
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from lake.changes import statements
from lake.changes.by_key import key_schema
from lake.changes.increment import Resnapshot
from lake.changes.prepared import Prepared
from lake.contracts import Contract
from lake.contracts.source_schema import SourceColumn
from lake.source.client import connected
from lake.source.position import Position
from lake.source.sources import Source

MAX_BYTES_PER_TABLE = binlog.MAX_BYTES_PER_TABLE
"""Memory for the changed keys of one table, some six million of eight bytes. With more, comparing or reading the table
costs less."""

PATIENCE_SECONDS = 10
"""How long the end may take to be sent: the server sends what its disk has, and may name a place that is not there yet
(MySQL with ``sync_binlog = 1``)."""

PAUSE_SECONDS = 0.1

_NO_SUCH_PLACE = 1236
"""ER_MASTER_FATAL_ERROR_READING_BINLOG: purged, not of this server's history, or damaged."""

_KEYS = {
    "tinyint", "smallint", "mediumint", "int", "integer", "bigint", "decimal", "numeric", "float", "double", "real",
    "date", "datetime", "timestamp", "time", "year", "bit", "char", "varchar", "binary", "varbinary", "uuid", "inet4",
    "inet6",
}  # fmt: skip
"""Types of key columns that are read from row events; the others are told apart before a pass."""


@dataclass(frozen=True)
class Table:
    """A table whose changes are wanted.

    Attributes:
        columns: all columns of the source table, in its order; none if the server knows no table of this very name.
        prepared: what the last run left of XA transactions that were not decided.
    """

    contract: Contract
    columns: Sequence[SourceColumn]
    prepared: Prepared = field(default_factory=Prepared)


@dataclass(frozen=True)
class TableChanges:
    """Keys of one table that changed.

    Attributes:
        keys: each once, in the contract's key columns and types.
        counts: of the keys, by what happened to them last: `insert`, `update`, `delete`.
    """

    keys: pa.Table
    counts: dict[str, int] = field(default_factory=dict)


@dataclass
class Changes:
    """What a pass found.

    Attributes:
        tables: for each table of the request that can be trusted, by its name in the lake.
        resnapshot: table -> why it has to be read anew.
        elsewhere: table -> why its changes are to be found in another way: its keys cannot be told, or are too many.
        prepared: table -> what the next run has to know of XA transactions that are not decided.
    """

    tables: dict[str, TableChanges] = field(default_factory=dict)
    resnapshot: dict[str, str] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)
    prepared: dict[str, Prepared] = field(default_factory=dict)


def why_not() -> str:
    """Why no binlog is read here at all; empty if it can be."""
    return "" if mysql_arrow.NATIVE else "the reader's extension is missing (no Rust was found at `make setup`)"


def why_not_key(contract: Contract) -> str:
    """Why a table's keys cannot be taken from row events; empty if they can."""
    if not contract.key:
        return "it has no key"
    for name in contract.key:
        if contract.columns[name].parsed.base not in _KEYS or contract.columns[name].as_ == "boolean":
            return f"the key {name} is {contract.columns[name].type}, which is not taken from row events"
    return ""


def read(
    origin: Source, tables: Mapping[str, Table], start: Position, end: Position, next_start: Position | None = None
) -> Changes:
    """Read the binlog from `start` until the snapshot's place `end` has been passed.

    Args:
        tables: by name in the lake.
        start: a place in the files, or a set of transactions.
        end: a place in the files.
        next_start: where the next run will start, if not at the end.

    Raises:
        Resnapshot: the stream may hide changes.
        SourceError: the server is away.
    """
    if start == end or not tables:
        nothing = {name: TableChanges(key_schema(table.contract).empty_table()) for name, table in tables.items()}
        return Changes(nothing, prepared={name: table.prepared for name, table in tables.items()})
    names = {table.contract.name_in_source: name for name, table in tables.items()}
    reading = binlog.Pass(
        origin.database,
        [_wanted(table) for table in tables.values()],
        _place(start),
        _place(end),
        next_start=_place(next_start) if next_start else None,
        max_bytes_per_table=MAX_BYTES_PER_TABLE,
    )
    _follow(reading, origin, names)
    changes = Changes()
    for name, table in tables.items():
        _take(changes, name, table, reading)
    return changes


def _follow(reading: binlog.Pass, origin: Source, names: Mapping[str, str]) -> None:
    """Read to the end, which a server may not have sent at first."""

    def is_reached() -> bool:
        with connected(origin) as connection:
            _read_on(reading, connection, origin.database, names)
        return bool(reading.is_reached)

    not_yet = retry_if_result(lambda reached: not reached)
    try:
        Retrying(retry=not_yet, stop=stop_after_delay(PATIENCE_SECONDS), wait=wait_fixed(PAUSE_SECONDS))(is_reached)
    except RetryError as error:
        place = reading.place
        where = f"{place.file}:{place.offset}" if place else "its beginning"
        raise Resnapshot(f"the binlog ended at {where}, before the snapshot's place") from error


def _read_on(reading: binlog.Pass, connection: Connection[Any], database: str, names: Mapping[str, str]) -> None:
    try:
        with reading.over(connection) as found:
            for statement in found:
                _judge(reading, statement, database, names)
    except mysql_arrow.ServerError as error:
        if error.errno != _NO_SUCH_PLACE:
            raise
        raise Resnapshot(f"the binlog cannot be read from the last run's place on: {error.message}") from error
    except mysql_arrow.ProtocolError as error:
        raise Resnapshot(str(error)) from error


def _judge(reading: binlog.Pass, statement: binlog.Statement, database: str, names: Mapping[str, str]) -> None:
    for table in statements.concerns(statement.text, statement.default_database, database, names):
        reading.distrust(table, f"the binlog holds a statement that may have changed it: {_short(statement.text)}")


def _take(changes: Changes, name: str, table: Table, reading: binlog.Pass) -> None:
    """What was found of one table, with what its XA transactions add."""
    found = reading.found(table.contract.name_in_source)
    keys = None if found.keys is None else pa.Table.from_batches([pa.record_batch(found.keys)])
    known = table.prepared.after(table.contract, reading, keys)
    changes.prepared[name] = known.left
    if found.is_lost or known.hidden:
        changes.resnapshot[name] = found.reason if found.is_lost else known.hidden
    elif keys is None:
        changes.elsewhere[name] = found.reason
    else:
        counts = {row["values"]: row["counts"] for row in pc.value_counts(keys[binlog.OPERATION]).to_pylist()}
        told = keys.drop_columns([binlog.OPERATION]).cast(key_schema(table.contract))
        if known.committed.num_rows:
            told = _distinct(pa.concat_tables([told, known.committed]))
        changes.tables[name] = TableChanges(told, dict(sorted(counts.items())))


def _distinct(keys: pa.Table) -> pa.Table:
    return keys.group_by(keys.column_names).aggregate([]).select(keys.column_names).cast(keys.schema)


def _wanted(table: Table) -> binlog.Table:
    contract = table.contract
    columns = [binlog.Column(column.name, column.type, column.charset) for column in table.columns]
    key = [contract.column_in_source(name) for name in contract.key]
    return binlog.Table(contract.name_in_source, columns, key, key_schema(contract))


def _place(position: Position) -> binlog.Place | binlog.Gtids:
    """MariaDB's places are exact: GTIDs are only for making sure that the place is what it was."""
    return binlog.Place(position.file, position.offset) if position.file else binlog.Gtids(position.gtid)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 120 else line[:119] + "…"
