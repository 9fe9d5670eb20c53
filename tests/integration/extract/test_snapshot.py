"""One state of the source over several connections, while somebody keeps changing it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import pymysql
import pytest
from pydantic import SecretStr

from lake.errors import SourceError
from lake.extract import extract
from lake.platform import storage
from lake.settings import settings
from lake.source import client, snapshot
from lake.source.detection import detect
from lake.source.snapshot import Means
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


@pytest.mark.parametrize(("means", "pause"), [("agreed", 0.02), ("locked", 0.0), ("single", 0.0)])
def test_all_connections_see_the_same_state(accounts: Source, means: Means, pause: float) -> None:
    with transfers(accounts, pause):
        for _ in range(5):
            with snapshot.consistent(accounts, 3, (means, "locked")) as view:
                seen = _seen(view)
                assert len(set(seen)) == 1
                assert sum(seen[0]) == 1_000_000
                assert len(seen) == (1 if means == "single" else 3)
                assert view.snapshot.position


def test_a_busy_source_is_locked_when_its_connections_do_not_agree(accounts: Source, monkeypatch: Any) -> None:
    monkeypatch.setattr(snapshot, "_agreed", lambda *_: (datetime.now(UTC), None))
    with transfers(accounts), snapshot.consistent(accounts, 2) as view:
        assert view.snapshot.means == "locked"
        assert len(set(_seen(view))) == 1


@pytest.mark.parametrize(
    ("privileges", "means", "is_exact"),
    [
        ("", {"mariadb": "agreed", "mysql": "single"}, {"mariadb": True, "mysql": False}),
        ("PROCESS", {"mariadb": "agreed", "mysql": "agreed"}, {"mariadb": True, "mysql": False}),
        ("REPLICATION CLIENT", {"mariadb": "agreed", "mysql": "agreed"}, {"mariadb": True, "mysql": True}),
    ],
)
def test_how_a_user_with_few_privileges_reads(
    privileges: str, means: dict[str, Means], is_exact: dict[str, bool], accounts: Source, server: Any,
    run_sql: Callable[[str], list[tuple[Any, ...]]],
) -> None:  # fmt: skip
    user = f"u_{accounts.name[-8:]}"
    run_sql(f"CREATE USER {user} IDENTIFIED BY 'x'")
    run_sql(f"GRANT SELECT ON {accounts.database}.* TO {user}")
    if privileges:
        run_sql(f"GRANT {privileges} ON *.* TO {user}")
    try:
        poor = Source(accounts.name, accounts.host, accounts.port, user, accounts.database, SecretStr("x"))
        with snapshot.consistent(poor, 2) as view:
            assert (view.snapshot.means, view.snapshot.is_exact) == (means[server.kind], is_exact[server.kind])
            assert len(set(_seen(view))) == 1
        refused = pytest.raises(SourceError, match="no consistent snapshot over 2 connections could be had by: locked")
        with refused, snapshot.consistent(poor, 2, ("locked",)):
            pass
    finally:
        run_sql(f"DROP USER {user}")


@pytest.mark.parametrize("means", ["agreed", "locked"])
def test_an_exact_position_names_what_the_views_show(
    means: Means, accounts: Source, run_sql: Callable[[str], list[tuple[Any, ...]]]
) -> None:
    """Every transfer moves one, so the position tells how many there were."""
    counted = []
    with transfers(accounts, 0.005):
        for _ in range(10):
            with snapshot.consistent(accounts, 2, (means,)) as view:
                assert view.snapshot.is_exact
                counted.append((_transactions(view.snapshot.position), _seen(view)[0][1]))
    assert len({number - moved for number, moved in counted}) == 1
    assert len(set(counted)) > 1


def _transactions(position: str) -> int:
    """How many transactions a position names, of all domains and servers; nobody else writes meanwhile."""
    if ":" not in position:
        return sum(int(gtid.rsplit("-", 1)[1]) for gtid in position.split(","))
    intervals = re.findall(r":(\d+)(?:-(\d+))?", position)
    return sum(int(last or first) - int(first) + 1 for first, last in intervals)


def test_a_long_transaction_does_not_keep_views_from_agreeing(
    accounts: Source, connection: Any, run_sql: Callable[[str], list[tuple[Any, ...]]]
) -> None:
    run_sql("CREATE TABLE other (v INT)")
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO other VALUES (1)")
        with transfers(accounts, 0.02), snapshot.consistent(accounts, 2, ("agreed",)) as view:
            assert len(set(_seen(view))) == 1
        cursor.execute("ROLLBACK")


@pytest.fixture
def replica(origin: Source, server: Any, replica_port: int) -> Iterator[Source]:
    """The server's replica, on which nobody but its applier may write."""
    found = Source(f"{origin.name}_replica", origin.host, replica_port, origin.user, "mysql", origin.password)

    def only_applier_writes(value: str) -> None:
        if server.kind == "mysql":
            with client.connected(found) as connection:
                client.fetch(connection, f"SET GLOBAL super_read_only = {value}")

    only_applier_writes("ON")
    yield found
    only_applier_writes("OFF")
    storage.delete_prefix(f"{storage.LANDING}/{found.name}")


def _is_applying(replica: Source) -> bool:
    with client.connected(replica) as connection:
        return all(state.is_applying for state in detect(connection).replication(connection) or [])


def test_a_replica_is_held_for_the_moment_and_goes_on(replica: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match="could be had by: paused"), snapshot.consistent(replica, 2, ("paused",)):
        pass
    monkeypatch.setenv("LAKE_SOURCE_MAY_HOLD_REPLICATION", "true")
    settings.cache_clear()
    with snapshot.consistent(replica, 2, ("paused",)) as view:
        assert (view.snapshot.means, view.snapshot.connections, view.snapshot.is_exact) == ("paused", 2, True)
        assert _is_applying(replica)
    settings.cache_clear()


def test_a_replica_that_was_left_standing_is_started_by_the_next_extraction(
    replica: Source, caplog: pytest.LogCaptureFixture
) -> None:
    program = (
        "import sys; from pydantic import SecretStr; from lake.source import snapshot; "
        "from lake.source.sources import Source; name, host, port, user, password = sys.argv[1:]\n"
        "with snapshot.consistent(Source(name, host, int(port), user, 'mysql', SecretStr(password)), 2, ('paused',)):"
        " pass"
    )
    where = [replica.name, replica.host, str(replica.port), replica.user, replica.password.get_secret_value()]
    environment = {**os.environ, "LAKE_SOURCE_MAY_HOLD_REPLICATION": "true", "CRASH_AT": "snapshot.held"}
    killed = subprocess.run([sys.executable, "-c", program, *where], env=environment, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert not _is_applying(replica)
    extract.extract(replica, [], "r1")
    assert _is_applying(replica)
    assert "stood still since an extraction that broke off" in caplog.text
