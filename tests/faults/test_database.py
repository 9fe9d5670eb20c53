"""The source's server dies, stands still, runs out of something, or changes while it is read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pymysql
import pytest

from tests.faults.case import Case, until
from tests.faults.data import change, fill
from tests.faults.proxy import Proxy, Rule
from tests.numbers import numbers
from tests.statements import RESET_BINLOG

pytestmark = pytest.mark.thorough

Tell = Callable[[str], None]


@contextmanager
def set_globally(case: Case, **variables: object) -> Iterator[None]:
    """Server variables, put back afterwards."""
    before = {name: case.sql(f"SELECT @@GLOBAL.{name}")[0][0] for name in variables}
    try:
        for name, value in variables.items():
            case.sql(f"SET GLOBAL {name} = {value!r}")
        yield
    finally:
        for name, value in before.items():
            case.sql(f"SET GLOBAL {name} = {value!r}")


@pytest.mark.slow
@pytest.mark.fault("server_killed")
def test_server_killed_during_the_scan(case: Case, tell: Tell) -> None:
    fill(case)
    run = case.new_run()
    rule = Rule("reset", after=500_000, then=case.world.primary.kill)
    with Proxy(case.port("SHOP"), rule) as proxy:
        attempt = case.launch(run, LAKE_SOURCE_PORT=str(proxy.port))
        code = attempt.wait()
        assert rule.hits == 1
        assert code == 1, "the run had no server to read from"
        assert "lake.errors.Source" in attempt.log, attempt.tail
    case.world.revive()
    case.run(run)
    tell(f"the task failed in one line that names the server; after a restart {case.settle()}")


@pytest.mark.slow
@pytest.mark.fault("connections_killed")
def test_connection_killed_for_every_chunk(case: Case, tell: Tell) -> None:
    fill(case, rows=8_000, bytes_per_row=4_000)
    run = case.new_run()
    killed: set[str] = set()
    stop = threading.Event()
    killer = threading.Thread(target=_kill_each_chunk_once, args=(case, killed, stop))
    # A chunk is more than all the buffers hold, and comes slowly: the server is seen at its work.
    with Proxy(case.port("SHOP"), bytes_per_second=8_000_000) as proxy:
        killer.start()
        try:
            tries = 0
            while True:
                attempt = case.launch(run, chunk_bytes=3_000_000, LAKE_SOURCE_PORT=str(proxy.port))
                if attempt.wait() == 0:
                    break
                assert "lake.errors.SourceLostError" in attempt.log, attempt.tail
                tries += 1
                assert tries < 15, "a run whose every chunk is broken off once never ended"
        finally:
            stop.set()
            killer.join()
    assert len(killed) >= 3
    tell(f"{len(killed)} connections killed, the task tried {tries + 1} times; {case.settle()}")


def _kill_each_chunk_once(case: Case, killed: set[str], stop: threading.Event) -> None:
    with case.connection() as connection, connection.cursor() as cursor:
        while not stop.is_set():
            cursor.execute(
                "SELECT id, info FROM information_schema.processlist"
                " WHERE user = 'lake_reader' AND info LIKE 'SELECT `id` %FROM `items`%'"
            )
            for number, statement in cursor.fetchall():
                if statement not in killed:
                    with suppress(pymysql.err.MySQLError):  # it has ended by itself
                        cursor.execute(f"KILL CONNECTION {number}")
                        killed.add(statement)
            time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.fault("stalled_reader")
def test_stalled_reader_and_a_short_write_timeout(case: Case, tell: Tell) -> None:
    # More than all the buffers between the server and us hold.
    fill(case, rows=12_000, bytes_per_row=4_000)
    run = case.new_run()
    rule = Rule("nothing", after=2_000_000, then=lambda: time.sleep(8))
    before = _status(case, "Aborted_clients")
    with set_globally(case, net_write_timeout=1), Proxy(case.port("SHOP"), rule) as proxy:
        case.run(run, LAKE_SOURCE_PORT=str(proxy.port), LAKE_SOURCE_CONNECTIONS="1")
    gone = _status(case, "Aborted_clients") - before
    assert gone >= 1, "the server did not give up, so nothing was proven"
    tell(f"the server broke off {gone} connection(s), the task read again by itself; {case.settle()}")


def _status(case: Case, name: str) -> int:
    return int(case.sql(f"SHOW GLOBAL STATUS LIKE '{name}'")[0][1])


@pytest.mark.slow
@pytest.mark.fault("server_stopped")
@pytest.mark.parametrize("seconds", [4, 20])
def test_server_stands_still(case: Case, seconds: int, tell: Tell) -> None:
    """For a while that is within the time that a reply may take, and for one beyond it."""
    fill(case)
    run = case.new_run()
    rule = Rule("nothing", after=300_000, then=case.world.primary.freeze)
    with Proxy(case.port("SHOP"), rule) as proxy:
        attempt = case.launch(run, LAKE_SOURCE_PORT=str(proxy.port), LAKE_SOURCE_TIMEOUT_SECONDS="8")
        try:
            until(lambda: rule.hits)
            time.sleep(seconds)
        finally:
            case.world.primary.thaw()
        code = attempt.wait()
    if code:
        assert "lake.errors.Source" in attempt.log, attempt.tail
        case.run(run)
    end = "the task ended well by itself" if code == 0 else "the task failed in one line, the next try succeeded"
    tell(f"stopped for {seconds} s with a timeout of 8 s: {end}; {case.settle()}")


@pytest.mark.slow
@pytest.mark.fault("altered_between_chunks")
@pytest.mark.parametrize(
    ("table", "change_to_it"),
    [
        ("items", "ADD COLUMN colour VARCHAR(10) DEFAULT 'red'"),
        ("items", "DROP COLUMN note"),
        ("items", "MODIFY price DECIMAL(14,2) NOT NULL"),
        ("places", "DROP COLUMN name"),
    ],
)
def test_table_altered_while_it_is_read(case: Case, table: str, change_to_it: str, tell: Tell) -> None:
    """The reader's transaction holds the definitions, also of the table whose rows have not been asked for yet."""
    fill(case)
    run = case.new_run()
    attempt = case.launch(run, pause_at="extract.between_chunks:2", LAKE_SOURCE_CONNECTIONS="1")
    attempt.wait_until_paused()
    with case.connection(read_timeout=170) as connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION lock_wait_timeout = 1")
        with pytest.raises(pymysql.err.OperationalError, match="Lock wait timeout"):
            cursor.execute(f"ALTER TABLE {table} {change_to_it}")
        cursor.execute("SET SESSION lock_wait_timeout = 160")
        attempt.go_on()
        cursor.execute(f"ALTER TABLE {table} {change_to_it}")
    assert attempt.wait() == 0, attempt.tail
    second = case.launch(case.new_run())
    assert second.wait() == 0, second.tail
    if "DROP" in change_to_it:
        assert "held back: " in second.log, second.tail
        after = "the next run held it back and read the other table"
    else:
        assert "follows its table" in second.log, second.tail
        after = "the next run followed it"
    case.add("items", "places", replace=True)
    case.run(full=True)
    tell(f"{change_to_it} on `{table}` waited for the reader, {after}; with the new contract {case.settle()}")


def test_a_column_added_between_two_runs_is_read_of_every_row(case: Case) -> None:
    fill(case, rows=2_000)
    case.run()
    case.sql("ALTER TABLE items ADD COLUMN colour VARCHAR(10) DEFAULT 'red'")
    case.run()  # its contract does not know of it, and follows
    case.settle()
    case.add("items", replace=True)
    case.run()
    case.settle()


@pytest.mark.fault("late_commit")
@pytest.mark.parametrize("way", ["cursor", pytest.param("sweep", marks=pytest.mark.slow), "binlog"])
def test_rows_committed_behind_the_watermark(case: Case, way: str, tell: Tell) -> None:
    fill(case, rows=2_000, increment=way)
    case.run()
    with case.connection(autocommit=False) as late, late.cursor() as cursor:
        cursor.execute(f"INSERT INTO items (label, price) SELECT CONCAT('late ', seq), 1 FROM {numbers(1, 40)}")
        cursor.execute("UPDATE items SET stock = 77 WHERE id BETWEEN 100 AND 120")
        time.sleep(0.1)
        case.sql("INSERT INTO items (label, price) VALUES ('early', 1)")
        case.run()
        late.commit()
        with pytest.raises(AssertionError, match="rows differ"):
            case.prove()
    case.run()
    tell(f"{way}: 40 rows inserted and 21 updated before a run's watermark, committed after it; {case.settle()}")


@pytest.mark.slow
@pytest.mark.fault("changed_during_the_scan")
def test_bulk_changes_during_the_scan(case: Case, tell: Tell) -> None:
    fill(case)
    case.sql("CREATE TABLE as_it_was AS SELECT * FROM items")
    run = case.new_run()
    attempt = case.launch(run, pause_at="extract.between_chunks:3")
    attempt.wait_until_paused()
    case.sql(
        "DELETE FROM items WHERE id % 3 = 0",
        "UPDATE items SET label = 'moved', price = 0 WHERE id % 3 = 1",
        f"INSERT INTO items (label, price) SELECT CONCAT('new ', seq), 1 FROM {numbers(1, 3000)}",
    )
    attempt.go_on()
    assert attempt.wait() == 0, attempt.tail
    case.sql("RENAME TABLE items TO items_now, as_it_was TO items")
    snapshot = case.prove()
    case.sql("RENAME TABLE items TO as_it_was, items_now TO items")
    case.run()
    tell(f"the first run shows the {snapshot.rows:,} rows of its snapshot exactly; the next: {case.settle()}")


@pytest.mark.fault("no_connection_left")
def test_no_connection_left(case: Case, tell: Tell) -> None:
    fill(case, rows=2_000)
    run = case.new_run()
    with set_globally(case, max_connections=10), ExitStack() as taken:
        # The administrator has one connection more than all others.
        with suppress(pymysql.err.OperationalError):
            for _ in range(20):
                taken.enter_context(case.connection())
        attempt = case.launch(run)
        assert attempt.wait() == 1
        assert "lake.errors.SourceError" in attempt.log, attempt.tail
        assert "max_connections" in attempt.log, attempt.tail
        taken.close()
    case.run(run)
    tell(f"the task failed in one line that names max_connections; with one free again: {case.settle()}")


@pytest.mark.slow
@pytest.mark.fault("binlog_purged")
@pytest.mark.parametrize("how", ["PURGE BINARY LOGS", "RESET"])
def test_binlog_purged(case: Case, how: str, tell: Tell) -> None:
    fill(case)
    case.run()
    change(case)
    position = case.sql("SHOW BINARY LOGS")[-1][0]
    if how == "RESET":
        # An empty set of GTIDs, which MySQL has until its next commit, proves nothing: the binlog may have been begun
        # anew once more. Until there is one, each run reads all.
        case.sql(RESET_BINLOG[case.world.kind], "UPDATE places SET name = 'danach' WHERE code = 7")
    else:
        until(lambda: _purged(case, position))
    case.run()
    tell(f"{how} between two runs; {case.settle()}")


def _purged(case: Case, file: str) -> bool:
    """Purge all but the newest file; the server keeps one that it would need for its own recovery a moment longer."""
    case.sql("FLUSH BINARY LOGS")
    newest = case.sql("SHOW BINARY LOGS")[-1][0]
    case.sql(f"PURGE BINARY LOGS TO '{newest}'")
    return file not in [name for name, *_ in case.sql("SHOW BINARY LOGS")]


@pytest.mark.slow
@pytest.mark.fault("time_zone_changed")
def test_time_zone_changed_between_runs(case: Case, tell: Tell) -> None:
    case.sql(
        "CREATE TABLE events (id INT PRIMARY KEY AUTO_INCREMENT, happened TIMESTAMP(6) NULL, planned DATETIME(6),"
        " updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6))",
        "INSERT INTO events (happened, planned) SELECT '2026-03-29 00:59:59' + INTERVAL seq MINUTE,"
        f" '2026-03-29 00:59:59' + INTERVAL seq MINUTE FROM {numbers(1, 200)}",
    )
    case.add("events")
    case.run()
    with set_globally(case, time_zone="+09:00"):
        change_events = "UPDATE events SET planned = '2026-10-25 02:30:00' WHERE id % 7 = {}"
        case.sql(change_events.format(1), "INSERT INTO events (happened) VALUES ('2026-10-25 00:30:00')")
        case.run()
        proof = case.prove()
    with set_globally(case, time_zone="-11:00"):
        case.sql(change_events.format(2))
        case.run()
        assert case.prove() != proof
    tell(f"UTC, then +09:00, then -11:00; {case.settle()}")
