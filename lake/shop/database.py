"""Connections to the shop, and the names of the errors that MySQL and MariaDB answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymysql
from pymysql.connections import Connection
from pymysql.constants import CR, ER

from lake.errors import LakeError, ServiceError, SourceError

LOADED = "shoplake demo: loaded"
"""How the shop's marker begins once it is complete."""

LOCK = "shoplake.shop"
"""Load and tick exclude each other, since both number new rows from the highest key that they see."""

REPLY_SECONDS = 1800

LOCAL_INFILE_REFUSED = 3948
"""MySQL's number for ``local_infile=OFF``; MariaDB uses ``ER.NOT_ALLOWED_COMMAND``."""


def connect(
    host: str, port: int, user: str, password: str, database: str, settings_prefix: str = "LAKE_SHOP"
) -> Connection[Any]:
    """Open a connection in UTC that commits when told to.

    Args:
        settings_prefix: how the settings begin that hold this address, for the advice in an error.

    Raises:
        SourceError: when the server is away, or refuses the user, the password or the database.
    """
    try:
        return pymysql.connect(
            host=host,
            port=port,
            user=user,
            password=password,
            database=database,
            charset="utf8mb4",
            local_infile=True,
            autocommit=False,
            connect_timeout=10,
            # The longest statement loads the largest table.
            read_timeout=REPLY_SECONDS,
            # What does not fit must fail, whatever the server was set to.
            init_command="SET time_zone = '+00:00', sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'",
        )
    except pymysql.err.MySQLError as error:
        raise explained(error, f"{user}@{host}:{port}/{database}", settings_prefix) from error


def explained(error: pymysql.err.MySQLError, where: str, settings_prefix: str = "LAKE_SHOP") -> LakeError:
    """The person's view of a driver error met at ``where``."""
    code = error.args[0] if error.args else 0
    away = "look at its log with `lake logs`, then start it with `lake up`"
    right = f"grant the user the right, or let {settings_prefix}_USER and LAKE_SOURCE_DATABASE name others"
    fixes = {
        CR.CR_CONN_HOST_ERROR: f"start it with `lake up`, or set {settings_prefix}_HOST and {settings_prefix}_PORT",
        CR.CR_SERVER_GONE_ERROR: away,
        CR.CR_SERVER_LOST: away,
        ER.ACCESS_DENIED_ERROR: f"set {settings_prefix}_USER and {settings_prefix}_PASSWORD to what this server knows",
        ER.DBACCESS_DENIED_ERROR: right,
        ER.TABLEACCESS_DENIED_ERROR: right,
        ER.BAD_DB_ERROR: "create the database, or set LAKE_SOURCE_DATABASE to the one that exists",
        ER.NO_SUCH_TABLE: "load the shop first: `lake shop load`",
        ER.NOT_ALLOWED_COMMAND: "set local_infile=ON on the server",
        LOCAL_INFILE_REFUSED: "set local_infile=ON on the server",
        ER.LOCK_WAIT_TIMEOUT: "something else holds the rows; end it and repeat",
    }
    fix = fixes.get(code, "read the server's message above; `lake shop load --replace` begins again from nothing")
    return SourceError(f"shop database {where}: {error.args[-1] if error.args else error} (error {code})", fix)


@contextmanager
def speaking(connection: Connection[Any]) -> Iterator[None]:
    """Turn driver errors of the block into a :class:`SourceError`, and undo what was not committed."""
    try:
        yield
    except pymysql.err.MySQLError as error:
        if connection.open:
            connection.rollback()
        raise explained(error, f"{connection.host}:{connection.port}") from error


@contextmanager
def exclusive(connection: Connection[Any], seconds: int = 60) -> Iterator[None]:
    """Hold the shop's lock during the block.

    Raises:
        ServiceError: when another load or tick holds it for longer than ``seconds``.
    """
    database = value(connection, "SELECT DATABASE()")
    name = f"{LOCK}.{database}"[:64]  # the longest name that MySQL takes
    if value(connection, "SELECT GET_LOCK(%s, %s)", (name, seconds)) != 1:
        raise ServiceError(
            f"another `lake shop load` or `lake shop tick` has been at work on {database} for over {seconds} s",
            "wait until it has ended, then repeat",
        )
    try:
        yield
    finally:
        if connection.open:
            value(connection, "SELECT RELEASE_LOCK(%s)", (name,))


def value(connection: Connection[Any], query: str, parameters: tuple[Any, ...] = ()) -> Any:
    """The first column of the first row that ``query`` answers, or None where there is no row."""
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        row = cursor.fetchone()
    return row[0] if row else None


def marker(connection: Connection[Any]) -> str | None:
    """What the shop says of itself: the comment on ``orders``, or None where there is no such table."""
    query = (
        "SELECT table_comment FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'orders'"
    )
    found = value(connection, query)
    return None if found is None else str(found)


def tables(connection: Connection[Any]) -> set[str]:
    """Names of the tables in the connection's database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()")
        return {str(name) for (name,) in cursor.fetchall()}
