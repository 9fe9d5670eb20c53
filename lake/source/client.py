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
