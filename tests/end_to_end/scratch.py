"""A replica of the test's own, which can be stopped at a position of the source: what the shop was there.

It knows nothing of the lake: the server itself replays the shop's binlog from its first transaction on.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

import pymysql
from pymysql.cursors import DictCursor
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from lake.runtime.pair import Pair
from lake.runtime.service import Service
from lake.runtime.services import pairs
from lake.settings import settings
from tests.faults.world import Server

REVENUE = "SELECT SUM(sales_value) FROM order_items JOIN orders USING (order_id) WHERE status <> 'cancelled'"
REPLAY_SECONDS = 600
MEMORY_MIB = 64
SERVER_ID = 99
"""Unlike that of the primary and of the replica that the lake reads."""


@dataclass(frozen=True)
class Books:
    """What a prefix of the shop's history adds up to.

    Attributes:
        revenue: by the README's definition.
        rows: of each table.
    """

    revenue: Decimal
    rows: dict[str, int]


class Scratch:
    """A running replica of the shop's primary that applies only what it is told to."""

    def __init__(self, pair: Pair, port: int) -> None:
        self._pair, self._port = pair, port

    @property
    def is_mariadb(self) -> bool:
        """Whether positions are MariaDB's."""
        return self._pair.kind == "mariadb"

    def stop_at(self, position: str) -> None:
        """Replay the shop's history up to a position, and not a transaction further.

        Args:
            position: MariaDB's GTID list or MySQL's GTID set.
        """
        until = "MASTER_GTID_POS" if self.is_mariadb else "SQL_AFTER_GTIDS"
        with self.connected() as cursor:
            if self._has(cursor, position):
                return
            cursor.execute(f"START REPLICA UNTIL {until} = %s", (position,))
            stopped = Retrying(
                retry=retry_if_result(lambda status: status.is_applying),
                wait=wait_fixed(0.05),
                stop=stop_after_delay(REPLAY_SECONDS),
            )(self._following, cursor)
            cursor.execute("STOP REPLICA")
            assert not stopped.error, stopped.error
            assert self._has(cursor, position), f"the replica stopped before {position}"

    def next_transaction(self) -> str | None:
        """What the primary has committed directly after all that is here; nothing where that is all. Of MySQL only."""
        with self.connected() as cursor:
            cursor.execute("SELECT @@GLOBAL.gtid_executed AS here")
            here = cursor.fetchall()[0]["here"]
        with self.connected(self._pair.primary_port) as cursor:
            cursor.execute("SELECT GTID_SUBTRACT(@@GLOBAL.gtid_executed, %s) AS more", (here,))
            more = str(cursor.fetchall()[0]["more"])
        if not more:
            return None
        # The shop has one primary, whose transactions are numbered: `uuid:101-230`.
        server, _, numbers = more.partition(":")
        return f"{server}:{numbers.partition('-')[0]}"

    def books(self, tables: list[str]) -> Books:
        """What the shop adds up to where the replica stands."""
        with self.connected(database=settings().source_database) as cursor:
            cursor.execute(REVENUE.replace("SUM(sales_value)", "SUM(sales_value) AS revenue"))
            revenue = cursor.fetchall()[0]["revenue"]
            rows = {}
            for table in tables:
                cursor.execute(f"SELECT COUNT(*) AS n FROM `{table}`")
                rows[table] = int(cursor.fetchall()[0]["n"])
        return Books(revenue, rows)

    @contextlib.contextmanager
    def connected(self, port: int | None = None, database: str | None = None) -> Iterator[DictCursor]:
        """A cursor of the administrator's, on the scratch server unless told otherwise."""
        connection: pymysql.Connection[Any] = pymysql.connect(
            host="127.0.0.1",
            port=port or self._port,
            user="root",
            password=settings().mysql_root_password.get_secret_value(),
            database=database,
            autocommit=True,
            connect_timeout=5,
            read_timeout=120,
        )
        with connection, connection.cursor(DictCursor) as cursor:
            yield cursor

    def _has(self, cursor: DictCursor, position: str) -> bool:
        if self.is_mariadb:
            cursor.execute("SELECT @@GLOBAL.gtid_slave_pos = %s AS has", (position,))
        else:
            cursor.execute("SELECT GTID_SUBSET(%s, @@GLOBAL.gtid_executed) AS has", (position,))
        return bool(cursor.fetchall()[0]["has"])

    def _following(self, cursor: DictCursor) -> Any:
        cursor.execute("SHOW REPLICA STATUS")
        return self._pair.following(cursor.fetchall()[0])


@contextlib.contextmanager
def scratch_replica() -> Iterator[Scratch]:
    """A replica of the shop's primary beside the one that the lake reads, empty at first, gone afterwards."""
    pair = pairs()[0]
    name = f"{pair.kind}-scratch"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    scratch = Scratch(pair, port)
    folder = settings().home / "data" / name

    def ping() -> None:
        with scratch.connected() as cursor:
            cursor.execute("SELECT 1")

    server = Server(
        Service(
            name=name,
            address=f"127.0.0.1:{port}",
            ports=(port,),
            command=pair._command(name, port, SERVER_ID, MEMORY_MIB),
            folder=folder,
            prepare=partial(pair._make_data, folder),
            ping=ping,
            refuses_root=True,
        )
    )
    try:
        server.start()
        with scratch.connected() as cursor:
            cursor.execute(pair.change_source, (pair.primary_port, settings().replication_password.get_secret_value()))
        yield scratch
    finally:
        server.close()
        for left in folder.parent.glob(f"{name}*"):
            shutil.rmtree(left, ignore_errors=True)
