"""The platform as its users drive it: by the command, and by SQL on the shop's own database."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from typing import Any

import pymysql
from pymysql.cursors import Cursor

from lake.settings import PROJECT, settings
from lake.shop.database import connect
from lake.shop.replica import wait_for_replica


def lake(*arguments: str, seconds: float = 800) -> str:
    """Run the command as a user does; what it printed.

    Args:
        seconds: that it may take.
    """
    command = [str(PROJECT / ".venv/bin/lake"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, cwd=PROJECT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextlib.contextmanager
def shop() -> Iterator[pymysql.connections.Connection[Any]]:
    """A connection to the primary, as the shop's own user."""
    config = settings()
    password = config.shop_password.get_secret_value()
    address = (config.shop_host, config.shop_port, config.shop_user, password, config.source_database)
    with contextlib.closing(connect(*address)) as connection:
        yield connection


def source(statement: str) -> list[tuple[Any, ...]]:
    """What the shop's own database answers."""
    with shop() as connection, connection.cursor(Cursor) as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def write(statement: str) -> None:
    """Change one row of the shop, and wait until the replica has it."""
    with shop() as connection:
        with connection.cursor() as cursor:
            assert cursor.execute(statement) == 1
        connection.commit()
        wait_for_replica(connection)


def change(statement: str) -> None:
    """Change the shop's schema, and wait until the replica has it."""
    with shop() as connection:
        with connection.cursor() as cursor:
            cursor.execute(statement)
        wait_for_replica(connection)
