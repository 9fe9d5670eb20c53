"""One state of the source over several connections, while somebody keeps changing it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pymysql
import pytest

from lake.errors import SourceError
from lake.source import client, snapshot
from lake.source.snapshot import Way
from lake.source.sources import Source


@contextmanager
def transfers(origin: Source, pause: float = 0.0) -> Iterator[None]:
    """Moves money between two accounts, so that their sum is the same in every state that ever was."""
    stop = threading.Event()

    def move() -> None:
        password = origin.password.get_secret_value()
        where = {"host": origin.host, "port": origin.port, "user": origin.user, "database": origin.database}
        with closing(pymysql.connect(**where, password=password)) as writing:
            while not stop.wait(pause):
                with writing.cursor() as cursor:
                    cursor.execute("UPDATE a SET v = v - 1")
                    cursor.execute("UPDATE b SET v = v + 1")
                writing.commit()

    thread = threading.Thread(target=move)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def accounts(origin: Source, run_sql: Callable[[str], list[tuple[Any, ...]]]) -> Source:
    """Two accounts with 1,000,000 together."""
    for table, value in (("a", 1_000_000), ("b", 0)):
        run_sql(f"CREATE TABLE {table} (v INT)")
        run_sql(f"INSERT INTO {table} VALUES ({value})")
    return origin


def _seen(view: snapshot.View) -> list[tuple[int, int]]:
    both = "SELECT (SELECT v FROM a) AS a, (SELECT v FROM b) AS b"
    rows = [client.fetch(connection, both)[0] for connection in view.connections]
    return [(row["a"], row["b"]) for row in rows]


@pytest.mark.parametrize(("way", "pause"), [("agreed", 0.02), ("locked", 0.0), ("single", 0.0)])
def test_all_connections_see_the_same_state(accounts: Source, way: Way, pause: float) -> None:
    with transfers(accounts, pause):
        for _ in range(5):
            with snapshot.consistent(accounts, 3, (way, "locked")) as view:
                seen = _seen(view)
                assert len(set(seen)) == 1
                assert sum(seen[0]) == 1_000_000
                assert len(seen) == (1 if way == "single" else 3)
                assert view.snapshot.position


def test_a_busy_source_is_locked_when_its_connections_do_not_agree(accounts: Source, monkeypatch: Any) -> None:
    monkeypatch.setattr(snapshot, "AGREEMENT_TRIES", 0)
    with transfers(accounts), snapshot.consistent(accounts, 2) as view:
        assert view.snapshot.way == "locked"
        assert len(set(_seen(view))) == 1


def test_a_replica_is_paused_for_the_moment_and_goes_on(origin: Source, replica_port: int) -> None:
    replica = Source("replica", origin.host, replica_port, origin.user, "mysql", origin.password)
    with snapshot.consistent(replica, 2, ("paused",)) as view:
        assert (view.snapshot.way, view.snapshot.connections) == ("paused", 2)
    with client.connected(replica) as connection:
        (status,) = client.replication(connection)
        assert status["replica_sql_running" if "replica_sql_running" in status else "slave_sql_running"] == "Yes"


def test_a_user_without_privileges_still_reads_over_several_connections(
    accounts: Source, run_sql: Callable[[str], list[tuple[Any, ...]]]
) -> None:
    user = f"u_{accounts.name[-8:]}"
    run_sql(f"CREATE USER {user} IDENTIFIED BY 'x'")
    run_sql(f"GRANT SELECT ON {accounts.database}.* TO {user}")
    try:
        poor = Source(accounts.name, accounts.host, accounts.port, user, accounts.database, _secret("x"))
        with snapshot.consistent(poor, 2) as view:
            assert view.snapshot.way == "agreed"
        refused = pytest.raises(SourceError, match="no consistent snapshot over 2 connections could be had by: locked")
        with refused, snapshot.consistent(poor, 2, ("locked",)):
            pass
    finally:
        run_sql(f"DROP USER {user}")


def _secret(text: str) -> Any:
    from pydantic import SecretStr

    return SecretStr(text)
