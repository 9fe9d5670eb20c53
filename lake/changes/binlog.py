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
from collections.abc import Iterator, Mapping
from typing import Any

import pymysql
from pymysql.connections import Connection
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.event import GtidEvent, RotateEvent, XidEvent
from pymysqlreplication.gtid import Gtid, GtidSet

from lake.changes import row_events
from lake.changes.row_events import Changes, Events, Table, TableChanges, Unreadable
from lake.changes.row_keys import SourceColumn
from lake.errors import SourceError
from lake.source.client import fetch
from lake.source.position import Position
from lake.source.server import Server
from lake.source.sources import Source

MAX_ROWS = 100_000
"""Changed rows of one table that are taken, about 8 s of the client's time and at most 70 MB of keys. With more,
comparing or reading the table costs less."""

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
    origin: Source,
    server: Server,
    tables: Mapping[str, Table],
    start: Position,
    end: Position,
) -> Changes:
    """Read the binlog from `start` until the snapshot's place `end` has been passed, or to what is its end now.

    Args:
        tables: by name in the lake.

    Raises:
        Unreadable: the stream may hide changes.
        SourceError: the server is away.
    """
    changes = Changes({name: TableChanges() for name in tables})
    if start == end or not tables:
        return changes
    reader = Events(origin.database, tables, changes, MAX_ROWS)
    goal: _Place | _Gtids = _Place(end) if end.file else _Gtids(start, end)
    stream = _open(origin, server, tables, start)
    try:
        for event in _events(stream):
            if isinstance(event, RotateEvent):
                # A server that crashed ends its file without saying so, and numbers its tables anew in the next.
                stream.table_map.clear()
            if goal.is_before(event):
                break
            goal.see(event, stream.log_file, stream.log_pos)
            reader.take(event, f"{stream.log_file}:{stream.log_pos}")
            if reader.is_idle:
                return changes
        if stream.log_file:
            goal.see(None, stream.log_file, stream.log_pos)
    finally:
        stream.close()
    if not goal.is_reached:
        raise Unreadable(f"the binlog ended at {stream.log_file}:{stream.log_pos}, before the snapshot's place")
    reader.check_prepared()
    return changes


def _open(origin: Source, server: Server, tables: Mapping[str, Table], start: Position) -> BinLogStreamReader:
    opened = 0

    def once(**arguments: Any) -> Any:
        """Two connections, the stream's and one for questions. When one breaks the client would open another, in the
        middle of a transaction, whose rows it then could not tell."""
        nonlocal opened
        opened += 1
        if opened > 2:
            raise SourceError("the stream of the binlog broke", "run again; the server's log may say why")
        return pymysql.connect(**arguments)

    # It warns at each connection that names are not in the binlog; they are taken from the table's description.
    logging.getLogger("pymysqlreplication").setLevel(logging.ERROR)
    place: dict[str, Any] = {"auto_position": start.gtid, "is_mariadb": server.is_mariadb}
    if not start.gtid or (server.is_mariadb and start.file):
        place = {"log_file": start.file, "log_pos": start.offset, "resume_stream": True}
    return BinLogStreamReader(
        connection_settings={
            "host": origin.host,
            "port": origin.port,
            "user": origin.user,
            "password": origin.password.get_secret_value().encode(),
            "charset": "utf8mb4",
            "connect_timeout": 10,
            "read_timeout": 600,
        },
        # Of no replica: a server ends the stream of one when another with its number comes.
        server_id=random.randrange(1 << 31, (1 << 32) - 1),
        blocking=False,
        only_events=(*row_events.EVENTS, RotateEvent, XidEvent),
        filter_non_implemented_events=False,
        only_schemas=[origin.database],
        only_tables=[table.contract.name_in_source for table in tables.values()],
        pymysql_wrapper=once,
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


class _Place:
    """The end as a place in the files of the server that is read."""

    def __init__(self, end: Position) -> None:
        self._end = end.place
        self._seen = (-1, -1)

    def see(self, event: Any, file: str, offset: int) -> None:
        """Note how far the stream is: `offset` is where the event ends."""
        self._seen = max(self._seen, Position("", "", file, offset).place)

    def is_before(self, event: Any) -> bool:
        """Whether the end lies before this event, which was not seen yet."""
        return self.is_reached

    @property
    def is_reached(self) -> bool:
        """Whether everything up to the end was seen."""
        return self._seen >= self._end


class _Gtids:
    """The end as a set of MySQL's transactions: those that must be seen, in whatever order they come."""

    def __init__(self, start: Position, end: Position) -> None:
        try:
            self._missing = {gtid.sid.lower(): gtid for gtid in GtidSet(end.gtid).gtids}
            for known in GtidSet(start.gtid).gtids:
                self._take(known)
        except ValueError as error:
            raise Unreadable(f"the client does not know GTIDs of this form: {error}") from error

    def _take(self, seen: Gtid) -> None:
        sid = seen.sid.lower()
        if sid in self._missing:
            self._missing[sid] -= Gtid("", self._missing[sid].sid, seen.intervals)

    def see(self, event: Any, file: str, offset: int) -> None:
        """Note a transaction that begins."""
        if isinstance(event, GtidEvent):
            self._take(Gtid(event.gtid))

    def is_before(self, event: Any) -> bool:
        """Whether the end lies before this event, which was not seen yet: it begins one, and none is missing."""
        return isinstance(event, GtidEvent) and self.is_reached

    @property
    def is_reached(self) -> bool:
        """Whether every transaction has begun."""
        return not any(gtid.intervals for gtid in self._missing.values())
