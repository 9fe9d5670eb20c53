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
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pymysql
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.event import RotateEvent, XidEvent

from lake.changes import row_events
from lake.changes.row_events import Changes, Events, Table, TableChanges, Unreadable
from lake.errors import SourceError
from lake.source.position import Position
from lake.source.sources import Source

MAX_ROWS = 100_000
"""Changed rows of one table that are taken, about 8 s of the client's time and at most 70 MB of keys. With more,
comparing or reading the table costs less."""

PATIENCE_SECONDS = 10
"""How long the end may take to be sent: the server sends what its disk has, and may name a place that is not there yet
(MySQL with ``sync_binlog = 1``)."""

_NO_SUCH_PLACE = 1236
"""ER_MASTER_FATAL_ERROR_READING_BINLOG: purged, not of this server's history, or damaged."""


def read(origin: Source, tables: Mapping[str, Table], start: Position, end: Position) -> Changes:
    """Read the binlog from `start` until the snapshot's place `end` has been passed.

    Args:
        tables: by name in the lake.
        start: a place in the files, or a set of transactions.
        end: a place in the files.

    Raises:
        Unreadable: the stream may hide changes.
        SourceError: the server is away.
    """
    changes = Changes({name: TableChanges() for name in tables})
    if start == end or not tables:
        return changes
    reader = Events(origin.database, tables, changes, MAX_ROWS)
    goal = _Place(end)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not goal.is_reached and not reader.is_idle:
        start = _follow(_open(origin, tables, start), goal, reader)
        if not goal.is_reached and time.monotonic() > deadline:
            raise Unreadable(f"the binlog ended at {start.file}:{start.offset}, before the snapshot's place")
    reader.check_prepared()
    return changes


def _follow(stream: BinLogStreamReader, goal: _Place, reader: Events) -> Position:
    """Read a stream to the goal or to its end; where it ended, which is between two transactions."""
    try:
        for event in _events(stream):
            if isinstance(event, RotateEvent):
                # A server that crashed ends its file without saying so, and numbers its tables anew in the next.
                stream.table_map.clear()
            if goal.is_reached:
                break
            goal.see(stream.log_file, stream.log_pos)
            reader.take(event)
            if reader.is_idle:
                break
        else:
            goal.see(stream.log_file, stream.log_pos)
    finally:
        stream.close()
    return Position("", "", stream.log_file, stream.log_pos)


def _open(origin: Source, tables: Mapping[str, Table], start: Position) -> BinLogStreamReader:
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
    place: dict[str, Any] = {"auto_position": start.gtid}
    if start.file:
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

    def see(self, file: str, offset: int) -> None:
        """Note how far the stream is: `offset` is where an event ends."""
        self._seen = max(self._seen, Position("", "", file, offset).place)

    @property
    def is_reached(self) -> bool:
        """Whether everything up to the end was seen."""
        return self._seen >= self._end
