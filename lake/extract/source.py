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

log = logging.getLogger(__name__)

_HINTS = {
    ER.ACCESS_DENIED_ERROR: "check LAKE_SOURCE_USER and LAKE_SOURCE_PASSWORD",
    ER.DBACCESS_DENIED_ERROR: "grant the extraction user SELECT on the database",
    ER.TABLEACCESS_DENIED_ERROR: "grant the extraction user SELECT on the table",
    ER.COLUMNACCESS_DENIED_ERROR: "grant the extraction user SELECT on the column",
    ER.SPECIFIC_ACCESS_DENIED_ERROR: "grant the extraction user the privilege that the message names",
    ER.BAD_DB_ERROR: "check LAKE_SOURCE_DATABASE",
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


def source_error(error: Exception, doing: str) -> SourceError:
    """The error in one line: what was being done, the server's words, and the way out."""
    config = settings()
    where = f"{config.source_user}@{config.source_host}:{config.source_port}/{config.source_database}"
    code, said = error.args[0] if error.args else 0, error.args[-1] if error.args else error
    if isinstance(error, mysql_arrow.ServerError):
        said = error.message
    words = f"{code}: {said}" if isinstance(code, int) and code else str(error)
    away = "is the database up, and reachable from here? look at `lake status`"
    lost = isinstance(error, mysql_arrow.ConnectionLost) or code in _LOST
    return (SourceLostError if lost else SourceError)(f"{doing} ({where}): {words}", _HINTS.get(code, away))


@contextmanager
def errors(doing: str = "reading the source failed") -> Iterator[None]:
    """Turn what the client and the reader raise into errors that name the source and the way out.

    Raises:
        SourceLostError: the connection was lost.
        SourceError: the database refused us.
    """
    try:
        yield
    except (pymysql.err.MySQLError, mysql_arrow.ServerError, mysql_arrow.ConnectionLost) as error:
        raise source_error(error, doing) from error


@contextmanager
def connected() -> Iterator[Connection[Any]]:
    """A connection of the extraction user, in UTC, that reads with the strictness of the server.

    Raises:
        SourceError: the database is away or refuses us, now or inside the block.
    """
    config = settings()
    with errors("cannot connect to the source"):
        connection: Connection[Any] = pymysql.connect(
            host=config.source_host,
            port=config.source_port,
            user=config.source_user,
            password=config.source_password.get_secret_value(),
            database=config.source_database,
            charset="utf8mb4",
            collation="utf8mb4_bin",
            init_command="SET time_zone = '+00:00'",
            connect_timeout=10,
            # A replica that stalls must fail the task, not hang it.
            read_timeout=600,
            autocommit=True,
            cursorclass=DictCursor,
        )
    try:
        with errors():
            yield connection
    finally:
        if connection.open:
            connection.close()


def fetch(connection: Connection[Any], statement: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
    """All rows of a small query, each as a dictionary with lower-case names."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
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


def check_replica(connection: Connection[Any]) -> None:
    """Refuse a replica whose replication is broken: its data would silently be old.

    A server that is no replica passes.

    Raises:
        SourceError: replication stands still; the server's own reason is in the message.
    """
    for row in replication(connection):
        running = [row.get(name) for name in row if name.endswith(("_io_running", "_sql_running"))]
        if "No" in running:
            reason = row.get("last_sql_error") or row.get("last_io_error") or "it was stopped"
            raise SourceError(
                f"the replica {settings().source_host}:{settings().source_port} does not replicate: {reason}",
                "mend it and start replication again (START REPLICA), or point LAKE_SOURCE_* at another one",
            )
