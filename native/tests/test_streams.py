"""The connection around a stream: usable after the end, closed when left, clear errors when it breaks."""

from __future__ import annotations

import gc
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import mysql_arrow
import pyarrow as pa
import pymysql
import pytest
from support import Reader, connect, execute

MANY = "WITH RECURSIVE n AS (SELECT 1 AS id UNION ALL SELECT id + 1 FROM n WHERE id < 100000) SELECT id FROM n"


@pytest.fixture
def many(connection) -> pymysql.Connection:
    """A connection on which MANY gives 100,000 rows."""
    name = "max_recursive_iterations" if "MariaDB" in connection.get_server_info() else "cte_max_recursion_depth"
    execute(connection, f"SET SESSION {name} = 200000")
    return connection


def test_the_connection_is_usable_after_the_end(many, reader: Reader, protocol: str) -> None:
    for _ in range(3):
        assert reader.table(many, MANY, protocol=protocol)["id"].to_pylist() == list(range(1, 100_001))
        execute(many, "SELECT 1", "DO 2")
    with many.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Prepared_stmt_count'")
        count = cursor.fetchone()
    assert count is None or count[1] == "0"


def test_parameters(connection, reader: Reader, protocol: str) -> None:
    sql = "SELECT %s AS a, %s AS b"
    table = reader.table(connection, sql, parameters=(1, "it's"), protocol=protocol)
    assert table.to_pylist() == [{"a": 1, "b": "it's"}]


def test_errors_of_the_server(connection, reader: Reader, protocol: str) -> None:
    with pytest.raises(mysql_arrow.ServerError) as failed:
        reader.query(connection, "SELECT * FROM nowhere", protocol=protocol)
    assert (failed.value.errno, failed.value.sqlstate) == (1146, "42S02")
    assert reader.table(connection, "SELECT 1 AS a", protocol=protocol).num_rows == 1


def test_an_error_in_the_middle(many, reader: Reader, protocol: str) -> None:
    """A subquery with two rows is an error only when its row comes."""
    sql = f"SELECT id, IF(id < 50000, 1, (SELECT 1 UNION ALL SELECT 2)) AS b FROM ({MANY}) AS m"
    stream = reader.query(many, sql, protocol=protocol, rows_per_batch=1000)
    with pytest.raises(mysql_arrow.ServerError, match="1242"):
        list(stream)
    assert reader.table(many, "SELECT 1 AS a", protocol=protocol).num_rows == 1


def test_a_statement_without_a_result(connection, reader: Reader, protocol: str) -> None:
    with pytest.raises(mysql_arrow.SchemaMismatch, match="no result"):
        reader.query(connection, "DO 1", protocol=protocol)


def test_no_other_statement_while_reading(many, reader: Reader, protocol: str) -> None:
    stream = reader.query(many, MANY, protocol=protocol, rows_per_batch=10)
    next(stream)
    with pytest.warns(UserWarning), pytest.raises(mysql_arrow.Error, match="not at its end"):
        execute(many, "SELECT 1")
    assert sum(batch.num_rows for batch in stream) == 99_990
    execute(many, "SELECT 1")


@pytest.mark.parametrize("leave", ["close", "drop"])
def test_a_stream_that_is_left_closes_the_connection(many, reader: Reader, leave: str) -> None:
    stream = reader.query(many, MANY, rows_per_batch=10)
    next(stream)
    if leave == "close":
        stream.close()
        assert list(stream) == []
    del stream
    gc.collect()
    assert not many.open


def test_a_killed_connection(many, reader: Reader, protocol: str) -> None:
    sql = f"SELECT id, SLEEP(id > 50000) FROM ({MANY}) AS m"
    with pytest.raises((mysql_arrow.ConnectionLost, mysql_arrow.ServerError)), later(1, kill, many.thread_id()):
        list(reader.query(many, sql, protocol=protocol, rows_per_batch=10))


def test_a_silent_server(connection, reader: Reader) -> None:
    connection._read_timeout = 0.5
    start = time.monotonic()
    with pytest.raises(mysql_arrow.ConnectionLost, match=r"sent nothing for 0\.5 s"):
        list(reader.query(connection, "SELECT SLEEP(20)"))
    assert time.monotonic() - start < 5
    assert not connection.open


def test_a_signal_ends_the_wait(connection, reader: Reader) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(KeyboardInterrupt):
            list(reader.query(connection, "SELECT SLEEP(20)"))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert not connection.open


def test_bytes_that_pymysql_read_ahead(reader: Reader) -> None:
    """The reply lies in PyMySQL's buffer already, together with the reply before it."""
    from packets import column, end, reply

    ours, theirs = socket.socketpair()
    connection = pymysql.connect(defer_connect=True)
    connection._sock, connection._rfile, connection._current_timeout = ours, ours.makefile("rb"), None
    connection._closed = False
    theirs.sendall(b"x" + reply([column("a", 3)], [[b"1"], [b"2"]], end()))
    assert connection._rfile.read(1) == b"x"
    stream = reader.query(connection, "SELECT a", protocol="text")
    assert pa.table(stream).to_pylist() == [{"a": 1}, {"a": 2}]
    theirs.close()
    connection._force_close()


def test_a_connection_that_ends(reader: Reader) -> None:
    from packets import column, end, reply

    data = reply([column("a", 3)], [[b"1"]] * 100, end())
    for cut in (3, 40, len(data) - 3):
        ours, theirs = socket.socketpair()
        theirs.sendall(data[:cut])
        theirs.close()
        ended: list[bool] = []
        with pytest.raises(mysql_arrow.ConnectionLost, match="closed it in the middle"):
            list(
                reader.decoders.Stream(reader.decoders.Decoder(protocol="text"), fd=ours.fileno(), on_end=ended.append)
            )
        assert ended == [False]
        ours.close()


def test_a_file_instead_of_a_descriptor(reader: Reader) -> None:
    """How a connection with TLS is read."""
    from packets import column, end, reply

    ours, theirs = socket.socketpair()
    theirs.sendall(reply([column("a", 3)], [[b"1"]] * 100, end()))
    with ours, theirs, ours.makefile("rb") as file:
        stream = reader.decoders.Stream(reader.decoders.Decoder(protocol="text"), file=file)
        assert pa.table(stream).num_rows == 100


def test_tls(server, reader: Reader, protocol: str) -> None:
    try:
        connection = connect(ssl={"check_hostname": False, "verify_mode": "none"})
    except pymysql.err.OperationalError as error:
        pytest.skip(f"the server has no TLS: {error}")
    with connection:
        assert reader.table(connection, "SELECT REPEAT('x', 1000000) AS a", protocol=protocol).nbytes > 1_000_000


def test_a_procedure(connection, reader: Reader, protocol: str) -> None:
    execute(connection, "CREATE PROCEDURE p() BEGIN SELECT 1 AS a; SELECT 'x' AS b; END")
    stream = reader.query(connection, "CALL p()", protocol=protocol)
    assert pa.table(stream).to_pylist() == [{"a": 1}]
    assert stream.stats.extra_results == 1
    execute(connection, "SELECT 1")


def test_other_threads_run_while_reading(connection, reader: Reader) -> None:
    ticks = 0
    stop = threading.Event()

    def count() -> None:
        nonlocal ticks
        while not stop.is_set():
            ticks += 1
            time.sleep(0.01)

    thread = threading.Thread(target=count)
    thread.start()
    list(reader.query(connection, "SELECT SLEEP(0.5)"))
    stop.set()
    thread.join()
    assert ticks > 10


def test_the_decoder_can_be_chosen(connection, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(reader.query(connection, "SELECT 1"), reader.decoders.Stream)
    connection.connect()
    assert isinstance(mysql_arrow.query(connection, "SELECT 1"), mysql_arrow.Stream)
    with pytest.raises(ValueError, match="'rust' is no decoder; known are native, plain"):
        mysql_arrow.query(connection, "SELECT 1", decoder="rust")
    monkeypatch.setattr(mysql_arrow, "NATIVE", False)
    with pytest.raises(mysql_arrow.Error, match="the extension is missing"):
        mysql_arrow.query(connection, "SELECT 1", decoder="native")


def test_drain(many, protocol: str) -> None:
    rows, received = mysql_arrow.drain(many, MANY, protocol=protocol)
    assert rows == 100_000
    assert received > 900_000


def kill(thread: int) -> None:
    with connect() as other:
        execute(other, f"KILL {thread}")


@contextmanager
def later(seconds: float, call: Callable[..., None], *arguments: object) -> Iterator[None]:
    timer = threading.Timer(seconds, call, arguments)
    timer.start()
    try:
        yield
    finally:
        timer.join()
