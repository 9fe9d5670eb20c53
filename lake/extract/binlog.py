"""One pass over a source's binlog, from the last run's place to the snapshot's: the keys that changed, per table.

Values are not taken from here: the rows of these keys are read from the snapshot by the one decoder that reads
everything, and keys that are gone become deletes. So it does no harm to see too much (a transaction that was rolled
back, one that the snapshot does not hold yet), and the pass may end anywhere behind the snapshot's place.

Whatever may hide a change ends the trust: in the whole stream (`Unreadable`), or in one table, which is then read anew
(`Changes.resnapshot`).
"""

from __future__ import annotations

import logging
import random
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pymysql
from pymysql.connections import Connection
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.constants import BINLOG, FIELD_TYPE
from pymysqlreplication.event import (
    ExecuteLoadQueryEvent,
    GtidEvent,
    MariadbGtidEvent,
    NotImplementedEvent,
    QueryEvent,
    RotateEvent,
    XAPrepareEvent,
    XidEvent,
)
from pymysqlreplication.exceptions import MalformedBinLogEvent
from pymysqlreplication.gtid import Gtid, GtidSet
from pymysqlreplication.row_event import (
    DeleteRowsEvent,
    PartialUpdateRowsEvent,
    TableMapEvent,
    UpdateRowsEvent,
    WriteRowsEvent,
)

from lake.contracts import Contract
from lake.errors import SourceError
from lake.extract import row_keys, statements
from lake.extract.position import Position
from lake.extract.row_keys import SourceColumn
from lake.extract.server import Server
from lake.extract.source import fetch

log = logging.getLogger(__name__)

Operation = Literal["insert", "update", "delete"]

MAX_KEYS = 200_000
"""Changed keys of one table that are kept, about 40 MB. With more, comparing the table costs less than reading events
one by one in Python."""

MAX_CONNECTIONS = 6
"""The client connects again by itself when the stream breaks, two connections each time, and would do so for ever."""

_ROWS = (WriteRowsEvent, UpdateRowsEvent, DeleteRowsEvent)
_EVENTS = (
    *_ROWS, PartialUpdateRowsEvent, TableMapEvent, RotateEvent, QueryEvent, ExecuteLoadQueryEvent, XidEvent,
    XAPrepareEvent, GtidEvent, MariadbGtidEvent, NotImplementedEvent,
)  # fmt: skip
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

_UNDECODABLE = (
    MalformedBinLogEvent, NotImplementedError, struct.error, ValueError, TypeError, LookupError, AttributeError,
    AssertionError, OverflowError,
)  # fmt: skip

_NO_SUCH_PLACE = 1236
"""ER_MASTER_FATAL_ERROR_READING_BINLOG: purged, not of this server's history, or damaged."""


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
        last: file and offset of the table's last event; empty if there was none.
    """

    keys: dict[tuple[Any, ...], Operation] = field(default_factory=dict)
    last: str = ""


@dataclass
class Changes:
    """What a pass found.

    Attributes:
        tables: for each table of the request that can be trusted, by its name in the lake.
        resnapshot: table -> why it has to be read anew.
        overflown: table -> why its changes are to be found in another way: they are too many.
        events: row events that were read.
    """

    tables: dict[str, TableChanges]
    resnapshot: dict[str, str] = field(default_factory=dict)
    overflown: dict[str, str] = field(default_factory=dict)
    events: int = 0


@dataclass(frozen=True)
class Table:
    """A table whose changes are wanted.

    Attributes:
        columns: all columns of the source table, in its order.
    """

    contract: Contract
    columns: list[SourceColumn]


def columns_of(connection: Connection[Any], database: str) -> dict[str, list[SourceColumn]]:
    """Every column of every table of a database, in the table's order."""
    rows = fetch(
        connection,
        "SELECT table_name, column_name, character_set_name AS charset FROM information_schema.columns "
        "WHERE table_schema = %s ORDER BY table_name, ordinal_position",
        (database,),
    )
    found: dict[str, list[SourceColumn]] = {}
    for row in rows:
        found.setdefault(row["table_name"], []).append(SourceColumn(row["column_name"], row["charset"] or ""))
    return found


def read(
    connect: Mapping[str, Any],
    server: Server,
    database: str,
    tables: Mapping[str, Table],
    start: Position,
    end: Position,
    max_keys: int = MAX_KEYS,
) -> Changes:
    """Read the binlog from `start` until the snapshot's place `end` has been passed, or to what is its end now.

    Args:
        connect: arguments of ``pymysql.connect``: address, user, password, timeouts.
        tables: by name in the lake; all of them are of `database`.

    Raises:
        Unreadable: the stream may hide changes.
        SourceError: the server is away.
    """
    changes = Changes({name: TableChanges() for name in tables})
    if start == end or not tables:
        return changes
    reader = _Pass(database, tables, changes, max_keys)
    finished = _passed_place(end) if end.file else _passed_gtids(start, end)
    stream = _open(connect, server, database, tables, start)
    try:
        for event in _events(stream):
            if isinstance(event, RotateEvent):
                # A server that crashed ends its file without saying so, and numbers its tables anew in the next.
                stream.table_map.clear()
            if finished(event, stream.log_file, stream.log_pos):
                break
            reader.take(event, f"{stream.log_file}:{stream.log_pos}")
            if not changes.tables:
                break
    finally:
        stream.close()
    reader.check_prepared()
    return changes


def _open(
    connect: Mapping[str, Any], server: Server, database: str, tables: Mapping[str, Table], start: Position
) -> BinLogStreamReader:
    opened = 0

    def counted(**arguments: Any) -> Any:
        nonlocal opened
        opened += 1
        if opened > MAX_CONNECTIONS:
            raise SourceError(
                "the stream of the binlog broke again and again", "look at the server's log, and at `read_timeout`"
            )
        return pymysql.connect(**arguments)

    # It warns at each connection that names are not in the binlog; they are taken from the table's description.
    logging.getLogger("pymysqlreplication").setLevel(logging.ERROR)
    place: dict[str, Any] = {"auto_position": start.gtid, "is_mariadb": server.is_mariadb}
    if not start.gtid or (server.is_mariadb and start.file):
        place = {"log_file": start.file, "log_pos": start.offset, "resume_stream": True}
    return BinLogStreamReader(
        connection_settings={**connect, "charset": "utf8mb4"},
        # Of no replica: a server ends the stream of one when another with its number comes.
        server_id=random.randrange(1 << 31, (1 << 32) - 1),
        blocking=False,
        only_events=_EVENTS,
        filter_non_implemented_events=False,
        only_schemas=[database],
        only_tables=[table.contract.name_in_source for table in tables.values()],
        pymysql_wrapper=counted,
        enable_logging=False,
        **place,
    )


def _events(stream: BinLogStreamReader) -> Iterator[Any]:
    try:
        yield from stream
    except pymysql.err.MySQLError as error:
        if error.args[:1] == (_NO_SUCH_PLACE,):
            raise Unreadable(f"the binlog cannot be read from the last run's place on: {error.args[-1]}") from error
        raise
    except _UNDECODABLE as error:
        raise Unreadable(f"the binlog's client does not understand an event: {error}") from error


def _passed_place(end: Position) -> Callable[[Any, str, int], bool]:
    """Whether an event is behind a place in the same server's files."""
    before = (-1, -1)

    def passed(event: Any, file: str, offset: int) -> bool:
        nonlocal before
        # The offset is where the event ends, so the one that ends at the place itself is the last to be taken.
        is_behind = before >= end.place
        before = max(before, Position("", "", file, offset).place)
        return is_behind

    return passed


def _passed_gtids(start: Position, end: Position) -> Callable[[Any, str, int], bool]:
    """Whether an event begins a transaction when all those between two sets have been seen."""
    try:
        missing = {gtid.sid.lower(): gtid for gtid in GtidSet(end.gtid).gtids}
        seen = GtidSet(start.gtid).gtids
    except ValueError as error:
        raise Unreadable(f"the server's GTIDs are of a form that the client does not know: {error}") from error
    for known in seen:
        if known.sid.lower() in missing:
            missing[known.sid.lower()] -= Gtid("", missing[known.sid.lower()].sid, known.intervals)

    def passed(event: Any, file: str, offset: int) -> bool:
        if not isinstance(event, GtidEvent):
            return False
        if not any(gtid.intervals for gtid in missing.values()):
            return True
        begun = Gtid(event.gtid)
        if begun.sid.lower() in missing:
            missing[begun.sid.lower()] -= Gtid("", missing[begun.sid.lower()].sid, begun.intervals)
        return False

    return passed


class _Pass:
    """Takes events one after the other and keeps what they say of the tables."""

    def __init__(self, database: str, tables: Mapping[str, Table], changes: Changes, max_keys: int) -> None:
        self._database = database
        self._tables = {table.contract.name_in_source: (name, table) for name, table in tables.items()}
        self._changes = changes
        self._max_keys = max_keys
        self._prepared: set[str] = set()

    def take(self, event: Any, place: str) -> None:
        """Take one event.

        Raises:
            Unreadable: it may hide changes of any table.
        """
        if isinstance(event, TableMapEvent):
            self._describe(event)
        elif isinstance(event, PartialUpdateRowsEvent):
            self._distrust(event.table, "JSON values are logged in part")
        elif isinstance(event, _ROWS):
            self._rows(event, place)
        elif isinstance(event, QueryEvent):
            self._statement(event)
        elif isinstance(event, ExecuteLoadQueryEvent):
            for table in list(self._tables):
                self._distrust(table, "LOAD DATA was logged as a statement")
        elif isinstance(event, XAPrepareEvent):
            if not event.one_phase:
                self._prepared.add(_xid(event.xid_gtrid, event.xid_bqual))
        elif isinstance(event, NotImplementedEvent) and event.event_type not in _HARMLESS:
            raise Unreadable(f"the binlog holds an event of type {event.event_type}, which the client cannot read")

    def check_prepared(self) -> None:
        """Transactions that were prepared and not yet ended: their rows would not be named again when they commit."""
        if self._prepared:
            for table in list(self._tables):
                self._distrust(table, "an XA transaction is prepared and not yet committed")

    def _describe(self, event: TableMapEvent) -> None:
        """Hold a table's columns against its description, and have texts and JSON left as they are."""
        if event.table not in self._tables:
            return
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
                self._distrust(event.table, f"the column {described.name} has a type that the client does not know")
                return
            if column.type == FIELD_TYPE.JSON:
                column.type = FIELD_TYPE.BLOB
            column.name = described.name
            # No codec has this name, so the client leaves bytes as they are.
            column.character_set_name = "binary"

    def _rows(self, event: Any, place: str) -> None:
        if event.table not in self._tables:
            return
        name, table = self._tables[event.table]
        changes = self._changes.tables[name]
        self._changes.events += 1
        try:
            for row in event.rows:
                for key, operation in _keys(event, row, table):
                    changes.keys[key] = operation
        except _UNDECODABLE as error:
            self._distrust(event.table, f"a key cannot be taken from the binlog ({error})")
            return
        if event.packet.read_bytes != event.event_size:
            raise Unreadable(f"the client read {event.packet.read_bytes} bytes of an event of {event.event_size}")
        changes.last = place
        if len(changes.keys) > self._max_keys:
            self._changes.overflown[name] = f"more than {self._max_keys} keys changed"
            self._forget(event.table)

    def _statement(self, event: QueryEvent) -> None:
        text = event.query.strip()
        if re.match(r"XA\s+(COMMIT|ROLLBACK)\b", text, re.IGNORECASE):
            ended = "".join(re.findall(r"[xX]'([0-9a-fA-F]*)'", text)).lower()
            if ended not in self._prepared and text.upper().startswith("XA COMMIT"):
                for table in list(self._tables):
                    self._distrust(table, "an XA transaction that was prepared before the last run has committed")
            self._prepared.discard(ended)
            return
        default = event.schema.decode("utf-8", "replace")
        for table in statements.concerns(text, default, self._database, self._tables):
            self._distrust(table, f"the binlog holds a statement that may have changed it: {_short(text)}")

    def _distrust(self, table: str, reason: str) -> None:
        if table in self._tables:
            name, _ = self._tables[table]
            self._changes.resnapshot[name] = reason
            self._forget(table)

    def _forget(self, table: str) -> None:
        name, _ = self._tables.pop(table)
        del self._changes.tables[name]


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
    contract = table.contract
    charsets = {column.name: column.charset for column in table.columns}
    parts = []
    for name in contract.key:
        column, source = contract.columns[name], contract.column_in_source(name)
        parts.append(row_keys.value(values[source], column.type, column.parsed.arrow, charsets[source]))
    return tuple(parts)


def _xid(gtrid: bytes, bqual: bytes) -> str:
    return gtrid.hex() + bqual.hex()


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 120 else line[:119] + "…"
