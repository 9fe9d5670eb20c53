"""Faults of the database servers: of real ones, a primary and a replica."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import pymysql
from pymysql.connections import Connection
from tenacity import Retrying, stop_after_delay, wait_fixed

from lake.runtime import supervise
from lake.runtime.pair import Pair
from lake.settings import settings
from tests.stress.stage import Stage, start

SCRATCH = "stress"
"""A database of the faults' own, on the primary and so on the replica."""

OF_A_HUNDRED, LIMIT = 90, 80
"""Connections: more than four fifths, and the exporter can still log in; the fault begins past these."""

COMMITS = 130_000
"""While a transaction is open: more than a hundred thousand changes cannot be purged then."""

SLOW_SECONDS = 10.5
SLOW_AT_ONCE = 4


def connect(port: int, **options: Any) -> Connection[Any]:
    """A connection to a server as its administrator."""
    password = settings().mysql_root_password.get_secret_value()
    return pymysql.connect(host="127.0.0.1", port=port, user="root", password=password, autocommit=True, **options)


def ask(port: int, *statements: str) -> tuple[tuple[Any, ...], ...]:
    """Run statements; the rows of the last one."""
    with closing(connect(port)) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return tuple(cursor.fetchall())


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something holds.

    Raises:
        AssertionError: it did not in time.
    """
    for attempt in Retrying(stop=stop_after_delay(seconds), wait=wait_fixed(0.2), reraise=True):
        with attempt:
            assert holds(), "it did not come to be"


@contextmanager
def scratch(pair: Pair) -> Iterator[None]:
    """An empty database for the faults, on both servers."""
    ask(pair.primary_port, f"DROP DATABASE IF EXISTS {SCRATCH}", f"CREATE DATABASE {SCRATCH}")
    until(lambda: bool(ask(pair.replica_port, f"SHOW DATABASES LIKE '{SCRATCH}'")))
    try:
        yield
    finally:
        ask(pair.primary_port, f"DROP DATABASE {SCRATCH}")


def connections(pair: Pair) -> Callable[[Stage], Any]:
    """Somebody opens connections, and does not close them."""

    @contextmanager
    def strike(stage: Stage) -> Iterator[float]:
        with ExitStack() as stack:
            open_ = len(ask(pair.primary_port, "SHOW PROCESSLIST"))
            crossed = 0.0
            for number in range(open_ + 1, OF_A_HUNDRED + 1):
                stack.enter_context(closing(connect(pair.primary_port)))
                if number > LIMIT and not crossed:
                    crossed = time.time()
            yield crossed

    return strike


def replica_stopped(pair: Pair) -> Callable[[Stage], Any]:
    """Somebody has written on the replica what the primary then writes too. Mended as the runbook says."""

    @contextmanager
    def strike(stage: Stage) -> Iterator[None]:
        table = f"{SCRATCH}.written_twice"
        ask(pair.primary_port, f"CREATE TABLE {table} (id INT PRIMARY KEY)")
        until(lambda: bool(ask(pair.replica_port, f"SHOW TABLES FROM {SCRATCH} LIKE 'written_twice'")))
        ask(pair.replica_port, "SET sql_log_bin = 0", f"INSERT INTO {table} VALUES (1)")
        ask(pair.primary_port, f"INSERT INTO {table} VALUES (1)")
        yield
        ask(
            pair.replica_port,
            "SET sql_log_bin = 0",
            f"DELETE FROM {table} WHERE id = 1",
            "START REPLICA",
            "SET GLOBAL read_only = 1",
        )

    return strike


def lagging(pair: Pair) -> Callable[[Stage], Any]:
    """A reader on the replica keeps it from altering a table. Mended as the runbook says: the reader's Id is killed."""

    @contextmanager
    def strike(stage: Stage) -> Iterator[None]:
        table = f"{SCRATCH}.read_for_long"
        ask(pair.primary_port, f"CREATE TABLE {table} (id INT PRIMARY KEY)", f"INSERT INTO {table} VALUES (1)")
        until(lambda: bool(ask(pair.replica_port, f"SHOW TABLES FROM {SCRATCH} LIKE 'read_for_long'")))
        with closing(connect(pair.replica_port)) as reader, reader.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(f"SELECT * FROM {table}")
            ask(pair.primary_port, f"ALTER TABLE {table} ADD COLUMN note TEXT")
            yield
            ask(pair.replica_port, f"KILL {reader.thread_id()}")

    return strike


def slow_queries(pair: Pair) -> Callable[[Stage], Any]:
    """Statements that take longer than the server's own limit of ten seconds, again and again."""

    @contextmanager
    def strike(stage: Stage) -> Iterator[None]:
        over = threading.Event()

        def ask_again() -> None:
            while not over.is_set():
                ask(pair.primary_port, f"SELECT SLEEP({SLOW_SECONDS})")

        threads = [threading.Thread(target=ask_again, daemon=True) for _ in range(SLOW_AT_ONCE)]
        for thread in threads:
            thread.start()
            # One after another, as people ask; so that each stretch of time has some.
            over.wait(SLOW_SECONDS / SLOW_AT_ONCE)
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join(2 * SLOW_SECONDS)

    return strike


def long_transaction(pair: Pair) -> Callable[[Stage], Any]:
    """A transaction is forgotten while others work. Mended as the runbook says: the oldest one's thread is killed."""

    @contextmanager
    def strike(stage: Stage) -> Iterator[None]:
        port, table = pair.primary_port, f"{SCRATCH}.changed_often"
        with closing(connect(port)) as forgotten, forgotten.cursor() as cursor:
            ask(
                port,
                f"CREATE TABLE {table} (id INT PRIMARY KEY, n INT NOT NULL)",
                f"INSERT INTO {table} VALUES (1, 0)",
                f"CREATE PROCEDURE {SCRATCH}.change(times INT) BEGIN WHILE times > 0 DO"
                f" UPDATE {table} SET n = n + 1; SET times = times - 1; END WHILE; END",
            )
            cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            # The replica need not do all this as well.
            ask(port, "SET sql_log_bin = 0", f"CALL {SCRATCH}.change({COMMITS})")
            yield
            ((oldest,),) = ask(
                port, "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx ORDER BY trx_started LIMIT 1"
            )
            assert oldest == forgotten.thread_id(), "the runbook's way does not lead to who has forgotten it"
            ask(port, f"KILL {oldest}")

    return strike


def stopped(name: str) -> Callable[[Stage], Any]:
    """A service is stopped, as for good. Mended as the runbook says: `lake up` starts it."""

    @contextmanager
    def strike(stage: Stage) -> Iterator[None]:
        supervise.stop_process(name)
        try:
            yield
        finally:
            start(name)

    return strike
