"""The connection to the source database, MySQL or MariaDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import DictCursor

from lake.settings import settings
from lake.source.failures import errors
from lake.source.sources import Source

CONNECT_SECONDS = 10


@contextmanager
def connected(source: Source, reply_seconds: int | None = None) -> Iterator[Connection[Any]]:
    """A connection of the source's user, in UTC, whose values depend on no default of the server for its sessions.

    Args:
        reply_seconds: how long the server may be silent; by default `settings.source_timeout_seconds`.

    Raises:
        SourceError: the database is away or refuses us, now or inside the block.
    """
    silence = reply_seconds or settings().source_timeout_seconds
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
            init_command=f"SET time_zone = '+00:00', sql_mode = ''{_statement_limit()}",
            connect_timeout=min(CONNECT_SECONDS, silence),
            # A replica that stalls must fail the task, not hang it.
            read_timeout=silence,
            write_timeout=silence,
            autocommit=True,
            cursorclass=DictCursor,
        )
    try:
        with errors(source):
            yield connection
    finally:
        if connection.open:
            connection.close()


def _statement_limit() -> str:
    """More assignments of a ``SET``: no statement outlives the task that asked, on the server either.

    A task that was killed cannot end what it has asked for, and a sum over a large table would be computed to its end
    for nobody. A limit of the server's own that is lower stays. What is not to be known yet is the kind of the server:
    MySQL reads one of the comments, MariaDB the other.
    """
    seconds = settings().task_timeout_minutes * 60

    def at_most(variable: str, limit: int) -> str:
        return f"IF(@@{variable} = 0, {limit}, LEAST(@@{variable}, {limit}))"

    # MySQL takes no number of another type than the variable's.
    of_mysql = f"max_execution_time = CAST({at_most('max_execution_time', seconds * 1000)} AS UNSIGNED)"
    of_mariadb = f"max_statement_time = {at_most('max_statement_time', seconds)}"
    return f" /*!50708 , {of_mysql} */ /*M!100101 , {of_mariadb} */"


def fetch(connection: Connection[Any], statement: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
    """All rows of a small query, each as a dictionary with lower-case names.

    Args:
        statement: a template: parameters stand as ``%s``, and any other ``%`` is doubled, which `quote` does in names.
    """
    with connection.cursor() as cursor:
        # Never None, with which PyMySQL would leave the template as it is.
        cursor.execute(statement, parameters)
        return [{str(name).lower(): value for name, value in row.items()} for row in cursor.fetchall()]
