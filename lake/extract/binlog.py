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
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pymysql
from pymysql.connections import Connection
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.event import GtidEvent, MariadbGtidEvent, RotateEvent, XidEvent
from pymysqlreplication.gtid import Gtid, GtidSet

from lake.errors import SourceError
from lake.extract import row_events
from lake.extract.position import Position
from lake.extract.row_events import Changes, Events, Table, TableChanges, Unreadable
from lake.extract.row_keys import SourceColumn
from lake.extract.server import Server
from lake.extract.source import fetch

MAX_KEYS = 200_000
"""Changed keys of one table that are kept, about 40 MB. With more, comparing the table costs less than reading events
one by one in Python."""

MAX_CONNECTIONS = 6
"""The client connects again by itself when the stream breaks, two connections each time, and would do so for ever."""

_NO_SUCH_PLACE = 1236
"""ER_MASTER_FATAL_ERROR_READING_BINLOG: purged, not of this server's history, or damaged."""


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
    reader = Events(database, tables, changes, max_keys)
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
        only_events=(*row_events.EVENTS, RotateEvent, XidEvent, GtidEvent, MariadbGtidEvent),
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
    except row_events.UNDECODABLE as error:
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
