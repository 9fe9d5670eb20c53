"""Keys out of a binlog: which rows of some tables changed between two places, told by the server's row events.

PyMySQL connects and logs in; the stream is read by the extension, without the GIL. Rows never become Python objects.
Only statements do, such as ``ALTER TABLE``: they may change tables without saying which rows, and whoever reads decides
which tables they concern.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import mysql_arrow
from mysql_arrow.errors import Error
from mysql_arrow.pymysql import COMPRESS, Reading, send, source

OPERATION = "_operation"
"""The column of `Found.keys` that says what happened to a row last: ``insert``, ``update``, ``delete``."""

MAX_BYTES_PER_TABLE, MAX_BYTES = 256 << 20, 1 << 30
"""Memory for the keys of one table and of all: some six million keys of eight bytes, or half as many of forty."""

_HEARTBEAT_NANOSECONDS = 10_000_000_000
"""A server that passes over what it was not asked for says that it is alive."""


@dataclass(frozen=True)
class Column:
    """A column as ``information_schema`` has it.

    Attributes:
        name: in the source.
        type: e.g. ``bigint(20) unsigned``.
        charset: of text, else empty.
    """

    name: str
    type: str
    charset: str = ""


@dataclass(frozen=True)
class Table:
    """A table whose changes are wanted.

    Attributes:
        name: as the server writes it.
        columns: all of them, in the table's order.
        key: names of the columns that tell a row, up to 16.
        schema: of the key, in the same order: anything with ``__arrow_c_schema__``.
    """

    name: str
    columns: Sequence[Column]
    key: Sequence[str]
    schema: Any


@dataclass(frozen=True)
class Place:
    """A place in the files of one server's binlog, as every server has it.

    Attributes:
        file: e.g. ``binlog.000042``.
        offset: bytes into it, where an event ends.
    """

    file: str
    offset: int


@dataclass(frozen=True)
class Gtids:
    """A set of MySQL's transactions, as ``gtid_executed`` prints it; tags are understood."""

    text: str


@dataclass(frozen=True)
class Statement:
    """A statement that may have changed tables without saying which rows.

    Attributes:
        default_database: the one in which it ran.
    """

    default_database: str
    text: str


@dataclass(frozen=True)
class Found:
    """What a pass found of one table.

    Attributes:
        keys: a batch (``__arrow_c_array__``) of the key's columns in the schema's types and of `OPERATION`; every key
            once. None where the table's changes are not told.
        rows: rows of its events.
        is_lost: whether changes may be hidden, so that only reading the table tells them.
        reason: why there are no keys.
    """

    keys: Any
    rows: int
    is_lost: bool
    reason: str


@dataclass(frozen=True)
class Prepared:
    """An XA transaction that was prepared and is not decided: its rows were told and are not visible.

    Attributes:
        xid: as the binlog writes it, ``X'…',X'…',1``.
        keys: by table, numbers of rows in `Found.keys`; None where its keys are too many, or are not told.
    """

    xid: str
    keys: dict[str, list[int] | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Decided:
    """The end of an XA transaction that was prepared before the pass began.

    Attributes:
        commits: False for a rollback.
        is_over: whether the next pass will not meet it again.
    """

    xid: str
    commits: bool
    is_over: bool


class Pass:
    """From one place in the binlog to another: reads over a connection, and tells what was found.

    Args:
        database: that of the tables; both names are compared to the letter.
        end: a place, or transactions: then those that are not in `start` have to come, in whatever order.
        next_start: where the next pass will begin, if that is not `end`.
        max_bytes_per_table: of memory, for the keys of one table; one with more is not followed further.
        max_bytes: of memory, for all keys; beyond it the table with the most is given up.

    Raises:
        Error: the extension is missing.
        ValueError: a place or a set is none.
    """

    def __init__(
        self,
        database: str,
        tables: Sequence[Table],
        start: Place | Gtids,
        end: Place | Gtids,
        *,
        next_start: Place | Gtids | None = None,
        max_bytes_per_table: int = MAX_BYTES_PER_TABLE,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        if not mysql_arrow.NATIVE:
            raise Error("the extension is missing, without which no binlog is read")
        self._start = start
        self._binlog = mysql_arrow._native.Binlog(
            database,
            [_asked(table) for table in tables],
            end=_plain(end),
            known=start.text if isinstance(start, Gtids) else None,
            next=None if next_start is None else _plain(next_start),
            max_bytes_per_table=max_bytes_per_table,
            max_bytes=max_bytes,
        )

    @contextmanager
    def over(self, connection: Any) -> Iterator[Iterator[Statement]]:
        """Read on over a connection, which is used up, and give the statements that have to be looked at.

        A server is read to what is its end now, and no further: it is told not to wait. If that is not the pass's end,
        `is_reached` tells, and another connection goes on from there.

        Args:
            connection: of PyMySQL, of a user who may replicate. Its read timeout is honoured.

        Raises:
            Error: the connection is compressed.
            ServerError: the server refuses, or its binlog is damaged. While the statements are iterated, as the others.
            ProtocolError: something that may concern any table is not understood.
            ConnectionLost: the connection ended or was silent.
        """
        if connection.client_flag & COMPRESS:
            raise Error("the connection is compressed, which cannot be read")
        command = mysql_arrow._native.dump_command(_plain(self.place or self._start))
        _announce(connection)
        guard = Reading(connection, None)
        try:
            send(connection, command[0], command[1:])
            connection._result = guard
            self._binlog.reopen()
            self._binlog.attach(**source(connection, self))
            yield iter(self)
        finally:
            # The server would go on sending.
            self._binlog.close()
            guard.end(False)

    def feed(self, data: bytes) -> None:
        """Take some of the stream's bytes, split anyhow, from whatever connection."""
        self._binlog.feed(data)

    def __iter__(self) -> Iterator[Statement]:
        """Read on, and give the next statement; to the end of the pass, of the stream, or of what was fed."""
        for default_database, text in self._binlog:
            yield Statement(default_database, text)

    def distrust(self, table: str, reason: str) -> None:
        """Say that changes of a table may be hidden; when that is so of all, the pass ends."""
        self._binlog.distrust(table, reason)

    @property
    def is_reached(self) -> bool:
        """Whether everything up to the end was seen, or nothing matters any more. If not, the binlog ended before."""
        return bool(self._binlog.is_reached)

    @property
    def place(self) -> Place | None:
        """Behind the last event; None before the first."""
        file, offset = self._binlog.place
        return Place(file, offset) if file else None

    @property
    def events(self) -> int:
        """How many events were looked at."""
        return int(self._binlog.events)

    def found(self, table: str) -> Found:
        """What was found of a table."""
        return Found(*self._binlog.found(table))

    @property
    def prepared(self) -> list[Prepared]:
        """XA transactions that the next pass has to know of."""
        return [Prepared(xid, keys) for xid, keys in self._binlog.open_xa()]

    @property
    def decided(self) -> list[Decided]:
        """Decisions over transactions whose rows an earlier pass met, if any did."""
        return [Decided(*one) for one in self._binlog.decided_xa()]


def _asked(table: Table) -> tuple[str, list[tuple[str, str, str]], list[str], Any]:
    columns = [(column.name, column.type, column.charset) for column in table.columns]
    return table.name, columns, list(table.key), table.schema


def _plain(place: Place | Gtids) -> str | tuple[str, int]:
    return place.text if isinstance(place, Gtids) else (place.file, place.offset)


def _announce(connection: Any) -> None:
    """Say what a reader understands: checksums; on MariaDB its own events, which it else replaces."""
    is_mariadb = "mariadb" in str(connection.server_version).lower()
    variables: dict[str, object] = {
        "@master_binlog_checksum": "@@global.binlog_checksum",
        "@master_heartbeat_period": _HEARTBEAT_NANOSECONDS,
    }
    if is_mariadb:
        variables["@mariadb_slave_capability"] = 4
    else:
        variables["@source_binlog_checksum"] = "@@global.binlog_checksum"
        variables["@source_heartbeat_period"] = _HEARTBEAT_NANOSECONDS
    with connection.cursor() as cursor:
        cursor.execute("SET " + ", ".join(f"{name} = {value}" for name, value in variables.items()))
