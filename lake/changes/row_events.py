"""What the events of a binlog say of the wanted tables: keys that changed, or why a table cannot be trusted."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import pyarrow as pa
from pymysqlreplication.constants import BINLOG, FIELD_TYPE
from pymysqlreplication.event import (
    ExecuteLoadQueryEvent,
    GtidEvent,
    MariadbGtidEvent,
    NotImplementedEvent,
    QueryEvent,
    XAPrepareEvent,
)
from pymysqlreplication.exceptions import MalformedBinLogEvent
from pymysqlreplication.row_event import (
    DeleteRowsEvent,
    PartialUpdateRowsEvent,
    TableMapEvent,
    UpdateRowsEvent,
    WriteRowsEvent,
)

from lake.changes import row_keys, statements
from lake.contracts import Contract
from lake.contracts.source_schema import SourceColumn

Operation = Literal["insert", "update", "delete"]

EVENTS = (
    WriteRowsEvent, UpdateRowsEvent, DeleteRowsEvent, PartialUpdateRowsEvent, TableMapEvent, QueryEvent,
    ExecuteLoadQueryEvent, XAPrepareEvent, GtidEvent, MariadbGtidEvent, NotImplementedEvent,
)  # fmt: skip
"""Those that `Events.take` wants to see."""

_TRANSACTION_CONTEXT, _VIEW_CHANGE, _HEARTBEAT_V2 = 36, 37, 41
_HARMLESS = {
    BINLOG.ANONYMOUS_GTID_LOG_EVENT, BINLOG.IGNORABLE_LOG_EVENT, _TRANSACTION_CONTEXT, _VIEW_CHANGE, _HEARTBEAT_V2,
}  # fmt: skip
"""Events without changes that the client does not know."""

_KNOWN_TYPES = {
    FIELD_TYPE.TINY, FIELD_TYPE.SHORT, FIELD_TYPE.INT24, FIELD_TYPE.LONG, FIELD_TYPE.LONGLONG, FIELD_TYPE.NEWDECIMAL,
    FIELD_TYPE.FLOAT, FIELD_TYPE.DOUBLE, FIELD_TYPE.VARCHAR, FIELD_TYPE.STRING, FIELD_TYPE.VAR_STRING,
    FIELD_TYPE.BLOB, FIELD_TYPE.JSON, FIELD_TYPE.GEOMETRY, FIELD_TYPE.BIT, FIELD_TYPE.ENUM, FIELD_TYPE.SET,
    FIELD_TYPE.YEAR, FIELD_TYPE.DATE, FIELD_TYPE.DATETIME2, FIELD_TYPE.TIMESTAMP2, FIELD_TYPE.TIME2,
}  # fmt: skip

UNDECODABLE = (
    MalformedBinLogEvent, NotImplementedError, struct.error, ValueError, TypeError, LookupError, AttributeError,
    AssertionError, OverflowError,
)  # fmt: skip
"""What the client raises over bytes that it does not understand."""


class Unreadable(Exception):
    """The stream cannot be trusted: every table that relied on it has to be read anew.

    Attributes:
        reason: one line for the log and the manifest.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class TableChanges:
    """Keys of one table that changed, in the contract's values, each with what happened to it last.

    Attributes:
        rows: rows of all its events; a row that changed twice counts twice.
    """

    keys: dict[tuple[Any, ...], Operation] = field(default_factory=dict)
    rows: int = 0


@dataclass
class Changes:
    """What a pass found.

    Attributes:
        tables: for each table of the request that can be trusted, by its name in the lake.
        resnapshot: table -> why it has to be read anew.
        elsewhere: table -> why its changes are to be found in another way: the client cannot tell its keys, or there
            are too many.
    """

    tables: dict[str, TableChanges]
    resnapshot: dict[str, str] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A table whose changes are wanted.

    Attributes:
        columns: all columns of the source table, in its order.
    """

    contract: Contract
    columns: list[SourceColumn]

    @cached_property
    def key(self) -> list[tuple[str, str, pa.DataType, str]]:
        """Of each key column: its name in the source, its MySQL and Arrow types, its character set."""
        charsets = {column.name: column.charset for column in self.columns}
        named = [(self.contract.column_in_source(name), self.contract.columns[name]) for name in self.contract.key]
        return [(source, column.type, column.parsed.arrow, charsets.get(source, "")) for source, column in named]


class Events:
    """Takes events one after the other and keeps what they say of the tables."""

    def __init__(self, database: str, tables: Mapping[str, Table], changes: Changes, max_rows: int) -> None:
        self._database = database
        self._tables = {table.contract.name_in_source: (name, table) for name, table in tables.items()}
        self._changes = changes
        self._max_rows = max_rows
        self._touched: set[str] = set()
        self._prepared: dict[str, set[str]] = {}

    @property
    def is_idle(self) -> bool:
        """Whether nothing that may still come matters: no table is trusted any more."""
        return not self._tables

    def take(self, event: Any) -> None:
        """Take one event.

        Raises:
            Unreadable: it may hide changes of any table.
        """
        if isinstance(event, TableMapEvent):
            self._describe(event)
        elif isinstance(event, PartialUpdateRowsEvent):
            self._leave(event.table, "JSON values are logged in part")
        elif isinstance(event, WriteRowsEvent | UpdateRowsEvent | DeleteRowsEvent):
            self._rows(event)
        elif isinstance(event, QueryEvent):
            self._statement(event)
        elif isinstance(event, ExecuteLoadQueryEvent):
            self._distrust_all("LOAD DATA was logged as a statement")
        elif isinstance(event, GtidEvent | MariadbGtidEvent):
            self._touched = set()
        elif isinstance(event, XAPrepareEvent):
            if not event.one_phase:
                self._prepared[f"{event.xid_gtrid.hex()},{event.xid_bqual.hex()}"] = self._touched
        elif isinstance(event, NotImplementedEvent) and event.event_type not in _HARMLESS:
            raise Unreadable(f"the binlog holds an event of type {event.event_type}, which the client cannot read")

    def check_prepared(self) -> None:
        """At the end: rows of transactions that are prepared and not ended would not be named again by their commit."""
        for touched in self._prepared.values():
            for table in touched:
                self._distrust(table, "an XA transaction is prepared and not yet committed")

    def _describe(self, event: TableMapEvent) -> None:
        """Hold a table's columns against its description, and have texts and JSON left as they are."""
        if event.table not in self._tables:
            return
        self._touched.add(event.table)
        _, table = self._tables[event.table]
        if event.column_count != len(table.columns):
            self._distrust(
                event.table, f"it had {event.column_count} columns and has {len(table.columns)}: it was altered"
            )
            return
        logged = [column.name for column in event.columns]
        if any(logged) and logged != [column.name for column in table.columns]:
            self._distrust(event.table, "its columns were named otherwise: it was altered")
            return
        for column, described in zip(event.columns, table.columns, strict=True):
            if column.type not in _KNOWN_TYPES:
                self._leave(
                    event.table, f"the column {described.name} has a type that the binlog's client does not know"
                )
                return
            if column.type == FIELD_TYPE.JSON:
                column.type = FIELD_TYPE.BLOB
            column.name = described.name
            # No codec has this name, so the client leaves bytes as they are.
            column.character_set_name = "binary"

    def _rows(self, event: Any) -> None:
        name, table = self._tables.get(event.table, ("", None))
        if table is None or name not in self._changes.tables:
            return
        changes = self._changes.tables[name]
        try:
            for row in event.rows:
                changes.rows += 1
                for key, operation in _keys(event, row, table):
                    changes.keys[key] = operation
        except UNDECODABLE as error:
            self._leave(event.table, f"a key cannot be taken from the binlog: {error}")
            return
        if event.packet.read_bytes != event.event_size:
            raise Unreadable(f"the client read {event.packet.read_bytes} bytes of an event of {event.event_size}")
        if changes.rows > self._max_rows:
            self._leave(event.table, f"more than {self._max_rows} rows changed")

    def _statement(self, event: QueryEvent) -> None:
        text = event.query.strip()
        if re.match(r"XA\s+(COMMIT|ROLLBACK)\b", text, re.IGNORECASE):
            ended = ",".join(re.findall(r"[xX]'([0-9a-fA-F]*)'", text)).lower()
            if ended not in self._prepared and text.upper().startswith("XA COMMIT"):
                self._distrust_all("an XA transaction that was prepared before the last run has committed")
            self._prepared.pop(ended, None)
            return
        default = event.schema.decode("utf-8", "replace")
        for table in statements.concerns(text, default, self._database, self._tables):
            self._distrust(table, f"the binlog holds a statement that may have changed it: {_short(text)}")

    def _distrust_all(self, reason: str) -> None:
        for table in list(self._tables):
            self._distrust(table, reason)

    def _distrust(self, table: str, reason: str) -> None:
        """Changes may be hidden: the table is to be read anew, whatever else is found."""
        if table in self._tables:
            name, _ = self._tables.pop(table)
            self._changes.tables.pop(name, None)
            self._changes.elsewhere.pop(name, None)
            self._changes.resnapshot[name] = reason

    def _leave(self, table: str, reason: str) -> None:
        """Changes cannot be told here, and can be found otherwise."""
        name, _ = self._tables.get(table, ("", None))
        if self._changes.tables.pop(name, None) is not None:
            self._changes.elsewhere[name] = reason


def _keys(event: Any, row: dict[str, Any], table: Table) -> Iterator[tuple[tuple[Any, ...], Operation]]:
    if isinstance(event, UpdateRowsEvent):
        before, after = row["before_values"], row["after_values"]
        old = _key(before, table)
        # Under a minimal row image the new row names only what changed.
        new = _key({name: value if value is not None else before[name] for name, value in after.items()}, table)
        if old != new:
            yield old, "delete"
        yield new, "update"
    else:
        yield _key(row["values"], table), "insert" if isinstance(event, WriteRowsEvent) else "delete"


def _key(values: Mapping[str, Any], table: Table) -> tuple[Any, ...]:
    return tuple(row_keys.value(values[name], mysql, arrow, charset) for name, mysql, arrow, charset in table.key)


def _skip_status(event: QueryEvent, first_key: int) -> None:
    """Pass over a statement's status variables: none is needed, and every new version of a server adds some."""
    event.packet.advance(event.status_vars_length - 1)


# The client reads them one by one and gives up at the first that it does not know.
QueryEvent._read_status_vars_value_for_key = _skip_status


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 120 else line[:119] + "…"
