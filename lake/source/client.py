"""The connection to the source database, MySQL or MariaDB, and what its errors mean."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mysql_arrow
import pymysql
from pymysql.connections import Connection
from pymysql.constants import CR, ER
from pymysql.cursors import DictCursor

from lake.errors import SourceError, SourceLostError
from lake.settings import settings
from lake.source.sources import Source

log = logging.getLogger(__name__)

_WRONG_ADDRESS = {ER.ACCESS_DENIED_ERROR, ER.BAD_DB_ERROR}
_HINTS = {
    ER.DBACCESS_DENIED_ERROR: "grant the extraction user SELECT on the database",
    ER.TABLEACCESS_DENIED_ERROR: "grant the extraction user SELECT on the table",
    ER.COLUMNACCESS_DENIED_ERROR: "grant the extraction user SELECT on the column",
    ER.SPECIFIC_ACCESS_DENIED_ERROR: "grant the extraction user the privilege that the message names",
    ER.NO_SUCH_TABLE: "the table is gone: restore it, or delete its contract",
    ER.BAD_FIELD_ERROR: "the column is gone: correct the contract",
    ER.TABLE_DEF_CHANGED: "the table was altered while it was read: run again",
    ER.CON_COUNT_ERROR: "the server has no connection left: raise max_connections, or lower LAKE_SOURCE_CONNECTIONS",
}

_LOST = {
    CR.CR_SERVER_GONE_ERROR,
    CR.CR_SERVER_LOST,
    ER.TABLE_DEF_CHANGED,
    ER.SERVER_SHUTDOWN,
    ER.QUERY_INTERRUPTED,
    1927,  # MariaDB: connection was killed
    3169,  # MySQL: session was killed
    4031,  # MySQL: disconnected because of inactivity
}
"""Errors after which another try, as of a new snapshot, may succeed."""


def source_error(error: Exception, doing: str, source: Source) -> SourceError:
    """The error in one line: what was being done, the server's words, and the way out."""
    code, said = error.args[0] if error.args else 0, error.args[-1] if error.args else error
    if isinstance(error, mysql_arrow.ServerError):
        said = error.message
    words = f"{code}: {said}" if isinstance(code, int) and code else str(error)
    away = f"is the database up, and reachable from here? look at `lake status`, or {source.mend}"
    hint = source.mend if code in _WRONG_ADDRESS else _HINTS.get(code, away)
    lost = isinstance(error, mysql_arrow.ConnectionLost) or code in _LOST
    return (SourceLostError if lost else SourceError)(f"{doing} {source.name} ({source.where}): {words}", hint)


@contextmanager
def errors(source: Source, doing: str = "cannot read the source") -> Iterator[None]:
    """Turn what the client and the reader raise into errors that name the source and the way out.

    Raises:
        SourceLostError: the connection was lost.
        SourceError: the database refused us.
    """
    try:
        yield
    except (pymysql.err.MySQLError, mysql_arrow.ServerError, mysql_arrow.ConnectionLost) as error:
        raise source_error(error, doing, source) from error


@contextmanager
def connected(source: Source) -> Iterator[Connection[Any]]:
    """A connection of the source's user, in UTC, whose values depend on no default of the server for its sessions.

    Raises:
        SourceError: the database is away or refuses us, now or inside the block.
    """
    with errors(source, "cannot connect to the source"):
        connection: Connection[Any] = pymysql.connect(
            host=source.host,
            port=source.port,
            user=source.user,
            # PyMySQL would encode text as latin1, which no other client does.
            password=source.password.get_secret_value().encode(),
            database=source.database,
            charset="utf8mb4",
            collation="utf8mb4_bin",
            # Some modes change what is read: PAD_CHAR_TO_FULL_LENGTH puts blanks behind every CHAR.
            init_command="SET time_zone = '+00:00', sql_mode = ''",
            connect_timeout=10,
            # A replica that stalls must fail the task, not hang it.
            read_timeout=settings().source_timeout_seconds,
            autocommit=True,
            cursorclass=DictCursor,
        )
    try:
        with errors(source):
            yield connection
    finally:
        if connection.open:
            connection.close()


def fetch(connection: Connection[Any], statement: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
    """All rows of a small query, each as a dictionary with lower-case names.

    Args:
        statement: a template: parameters stand as ``%s``, and any other ``%`` is doubled, which `quote` does in names.
    """
    with connection.cursor() as cursor:
        # Never None, with which PyMySQL would leave the template as it is.
        cursor.execute(statement, parameters)
        return [{str(name).lower(): value for name, value in row.items()} for row in cursor.fetchall()]


def replication(connection: Connection[Any]) -> list[dict[str, Any]]:
    """The state of each of a replica's connections to its primary, with lower-case names.

    Nothing for a server that is no replica, and for a user who may not see it.
    """
    version = str(fetch(connection, "SELECT VERSION() AS version")[0]["version"]).lower()
    try:
        return fetch(connection, "SHOW ALL SLAVES STATUS" if "mariadb" in version else "SHOW REPLICA STATUS")
    except pymysql.err.MySQLError as error:
        if error.args[0] != ER.SPECIFIC_ACCESS_DENIED_ERROR:
            raise
        log.warning("whether replication is healthy is not known: %s", error.args[-1])
        return []


def check_replica(connection: Connection[Any], source: Source) -> None:
    """Refuse a replica whose replication is broken: its data would silently be old.

    A server that is no replica passes, and so does one whose replication the user may not see.

    Raises:
        SourceError: replication stands still; the server's own reason is in the message.
    """
    for row in replication(connection):
        running = [row.get(name) for name in row if name.endswith(("_io_running", "_sql_running"))]
        if "No" in running:
            reason = row.get("last_sql_error") or row.get("last_io_error") or "it was stopped"
            raise SourceError(
                f"the replica {source.host}:{source.port} of {source.name} does not replicate: {reason}",
                f"mend it and start replication again (START REPLICA), or read another one: {source.mend}",
            )
