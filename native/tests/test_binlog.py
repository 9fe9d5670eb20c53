"""Keys out of the binlog of a real server, MySQL or MariaDB: what is written between two places is told, by its keys.

The oracle is what the reader of results gives for the same keys.
"""

from __future__ import annotations

import dataclasses

import mysql_arrow
import pyarrow as pa
import pymysql
import pytest
from following import DELETE, ID, INSERT, PLAIN, UPDATE, Follow, ask, changed, here, is_mariadb
from mysql_arrow import binlog
from support import DATABASE, connect, execute

pytestmark = [
    pytest.mark.skipif(not mysql_arrow.NATIVE, reason="missing part: the extension is not built"),
]


def test_what_happened_to_a_key_last(follow: Follow, connection: pymysql.Connection) -> None:
    table = follow(PLAIN)
    execute(
        connection,
        "INSERT INTO t VALUES (1, 'a', 1, NULL), (2, NULL, NULL, REPEAT('x', 70000)), (3, '', 3, '')",
        "UPDATE t SET n = 9 WHERE id = 2",
        "UPDATE t SET id = 30 WHERE id = 3",
        "DELETE FROM t WHERE id = 1",
    )
    assert table.changes() == {1: DELETE, 2: UPDATE, 3: DELETE, 30: UPDATE}
    assert table.statements == []
    assert table.changes() == {}


def test_a_million_rows_in_one_pass_within_bounds(follow: Follow, connection: pymysql.Connection) -> None:
    table = follow(PLAIN, "CREATE TABLE ten (n INT)", "INSERT INTO ten VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)")
    source = ", ".join(f"ten AS t{place}" for place in range(6))
    number = " + ".join(f"t{place}.n * {10**place}" for place in range(6))
    execute(connection, f"INSERT INTO t SELECT {number}, 'x', 1, NULL FROM {source}")
    found = table.read()["t"]
    keys = pa.record_batch(found.keys)
    assert (found.rows, keys.num_rows) == (1_000_000, 1_000_000)
    assert sorted(keys["id"].to_pylist()) == list(range(1_000_000))
    execute(connection, "UPDATE t SET n = 2")
    found = table.read(max_bytes_per_table=1 << 20)["t"]
    assert (found.keys, found.is_lost) == (None, False) and "more than 1 MiB" in found.reason
    assert found.rows < 200_000


def test_all_tables_together_are_bounded(follow: Follow, connection: pymysql.Connection) -> None:
    table = follow(
        "CREATE TABLE t (id BIGINT PRIMARY KEY)", "CREATE TABLE u (id BIGINT PRIMARY KEY)", keys={"t": ID, "u": ID}
    )
    rows = ", ".join(f"({number})" for number in range(30_000))
    execute(connection, f"INSERT INTO t VALUES {rows}", "INSERT INTO u VALUES (1)")
    found = table.read(max_bytes=512 << 10)
    assert found["t"].keys is None and "its own are the most" in found["t"].reason
    assert changed(found["u"]) == {1: INSERT}


def test_other_databases_and_tables_cost_nothing(follow: Follow, connection: pymysql.Connection) -> None:
    table = follow(PLAIN, "CREATE TABLE beside (id INT PRIMARY KEY)")
    other = f"{DATABASE}_o"
    execute(
        connection,
        f"CREATE DATABASE {other}",
        f"CREATE TABLE {other}.t (id BIGINT PRIMARY KEY)",
        f"INSERT INTO {other}.t VALUES (1)",
        "INSERT INTO beside VALUES (1)",
        f"USE {other}",
        "DROP TABLE t",
        f"DROP DATABASE {other}",
        f"USE {DATABASE}",
    )
    assert table.changes() == {}
    assert all(other in statement for statement in table.statements)


def test_statements_are_told_and_a_distrusted_table_is_not(follow: Follow, connection: pymysql.Connection) -> None:
    table = follow(PLAIN, "CREATE TABLE u (id BIGINT PRIMARY KEY)", keys={"t": ID, "u": ID})
    execute(connection, "INSERT INTO t (id) VALUES (1)", "TRUNCATE TABLE t", "INSERT INTO u VALUES (1)")
    end = here(connection)
    tables = [table.table("t"), table.table("u")]
    ended = binlog.Pass(DATABASE, tables, table.start, end)
    with ended.over(connect()) as statements:
        for statement in statements:
            assert (statement.default_database, statement.text) == (DATABASE, "TRUNCATE TABLE t")
            ended.distrust("t", "it was emptied")
    assert (ended.found("t").is_lost, ended.found("t").reason) == (True, "it was emptied")
    assert changed(ended.found("u")) == {1: INSERT}


def test_a_session_in_statement_format(follow: Follow, connection: pymysql.Connection) -> None:
    table = follow(PLAIN)
    execute(connection, "SET SESSION binlog_format = STATEMENT", "INSERT INTO t (id) VALUES (1)")
    table.read()
    assert table.statements == ["INSERT INTO t (id) VALUES (1)"]


def test_a_table_that_was_altered_without_a_word(follow: Follow, connection: pymysql.Connection) -> None:
    """Its map tells, though the statement was never logged."""
    table = follow(PLAIN, "CREATE TABLE u (id INT PRIMARY KEY)", keys={"t": ID, "u": ID})
    execute(connection, "INSERT INTO t (id) VALUES (1)", "INSERT INTO u VALUES (1)")
    execute(connection, "SET SESSION sql_log_bin = 0", "ALTER TABLE t ADD COLUMN more INT")
    execute(connection, "ALTER TABLE u MODIFY id BIGINT", "SET SESSION sql_log_bin = 1")
    found = table.read()
    assert found["t"].is_lost and "it had 4 columns and has 5" in found["t"].reason
    assert found["u"].is_lost and "id was not bigint" in found["u"].reason


def test_columns_that_were_renamed_without_a_word(follow: Follow, connection: pymysql.Connection) -> None:
    table = follow(PLAIN)
    full = ask(connection, "SELECT @@GLOBAL.binlog_row_metadata")[0]
    execute(connection, "SET GLOBAL binlog_row_metadata = FULL")
    try:
        execute(connection, "INSERT INTO t (id) VALUES (1)")
    finally:
        execute(connection, f"SET GLOBAL binlog_row_metadata = {full}")
    execute(
        connection, "SET SESSION sql_log_bin = 0", "ALTER TABLE t RENAME COLUMN n TO m", "SET SESSION sql_log_bin = 1"
    )
    found = table.read()["t"]
    assert found.is_lost and "named otherwise" in found.reason


def test_the_end_has_to_come(follow: Follow, connection: pymysql.Connection) -> None:
    table = follow(PLAIN)
    execute(connection, "INSERT INTO t (id) VALUES (1)")
    end = here(connection)
    later = (
        binlog.Place(end.file, end.offset + 1000)
        if isinstance(end, binlog.Place)
        else binlog.Gtids(end.text + ",\n3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5")
    )
    ended = binlog.Pass(DATABASE, [table.table("t")], table.start, later)
    with ended.over(connect()) as statements:
        assert list(statements) == []
    assert not ended.is_reached


def test_a_pass_goes_on_over_another_connection(follow: Follow, connection: pymysql.Connection) -> None:
    """A server may not have sent the end yet: it sends what its disk has."""
    table = follow(PLAIN)
    execute(connection, "INSERT INTO t (id) VALUES (1)")
    ended = binlog.Pass(DATABASE, [table.table("t")], table.start, binlog.Place("binlog.999999", 4))
    for number in (2, 3):
        with ended.over(connect()) as statements:
            assert list(statements) == []
        assert not ended.is_reached
        execute(connection, f"INSERT INTO t (id) VALUES ({number})")
    with ended.over(connect()) as statements:
        assert list(statements) == []
    assert changed(ended.found("t")) == dict.fromkeys((1, 2, 3), INSERT)


def test_what_comes_behind_the_end_is_left(follow: Follow, connection: pymysql.Connection) -> None:
    table = follow(PLAIN)
    execute(connection, "INSERT INTO t (id) VALUES (1)")
    end = here(connection)
    execute(connection, "INSERT INTO t (id) VALUES (2)")
    ended = binlog.Pass(DATABASE, [table.table("t")], table.start, end)
    with ended.over(connect()) as statements:
        assert list(statements) == []
    assert changed(ended.found("t")) == {1: INSERT}


def test_several_files(follow: Follow, connection: pymysql.Connection) -> None:
    table = follow(PLAIN)
    for number in range(3):
        execute(connection, f"INSERT INTO t (id) VALUES ({number})", "FLUSH BINARY LOGS")
    assert table.changes() == dict.fromkeys(range(3), INSERT)


def test_a_place_that_is_none(follow: Follow, connection: pymysql.Connection) -> None:
    table = follow(PLAIN)
    start = dataclasses.replace(table.start, **({"offset": 1 << 31} if is_mariadb(connection) else {"text": ""}))
    if not is_mariadb(connection):
        start = binlog.Place("binlog.000000", 4)
    end = binlog.Place("binlog.999999", 4) if isinstance(start, binlog.Place) else here(connection)
    ended = binlog.Pass(DATABASE, [table.table("t")], start, end)
    with ended.over(connect()) as statements, pytest.raises(mysql_arrow.ServerError) as refused:
        list(statements)
    assert refused.value.errno == 1236


def test_an_unreadable_column_costs_only_its_table(follow: Follow, connection: pymysql.Connection) -> None:
    table = follow(PLAIN, "CREATE TABLE u (id BIGINT PRIMARY KEY)", keys={"t": ID, "u": ID})
    execute(connection, "INSERT INTO t (id) VALUES (1)", "INSERT INTO u VALUES (1)")
    described = table.table("t")
    odd = dataclasses.replace(described, columns=[binlog.Column("id", "geometry"), *described.columns[1:]])
    ended = binlog.Pass(DATABASE, [odd, table.table("u")], table.start, here(connection))
    with ended.over(connect()) as statements:
        assert list(statements) == []
    assert "not taken from row events" in ended.found("t").reason
    assert changed(ended.found("u")) == {1: INSERT}
