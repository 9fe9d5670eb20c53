"""Keys out of the binlog of a real server, MySQL or MariaDB: what is written between two places is told, by its keys.

The oracle is what the reader of results gives for the same keys.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import mysql_arrow
import pyarrow as pa
import pymysql
import pytest
from mysql_arrow import binlog
from support import DATABASE, connect, execute

pytestmark = pytest.mark.skipif(not mysql_arrow.NATIVE, reason="missing part: the extension is not built")

INSERT, UPDATE, DELETE = "insert", "update", "delete"


@pytest.fixture(autouse=True)
def fresh(server: None) -> Iterator[None]:
    """Every test on each server, in a database that no other test has left anything in."""
    yield
    with connect() as cleaning:
        execute(cleaning, f"DROP DATABASE IF EXISTS {DATABASE}")


def is_mariadb(connection: pymysql.Connection) -> bool:
    return "mariadb" in connection.get_server_info().lower()


def ask(connection: pymysql.Connection, sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


def here(connection: pymysql.Connection) -> binlog.Place | binlog.Gtids:
    """Where the binlog stands."""
    if is_mariadb(connection):
        file, offset, *_ = ask(connection, "SHOW MASTER STATUS")
        return binlog.Place(file, offset)
    return binlog.Gtids(ask(connection, "SELECT @@GLOBAL.gtid_executed")[0])


class Followed:
    """Tables of one database, followed from pass to pass."""

    def __init__(self, connection: pymysql.Connection, keys: dict[str, pa.Schema], **options: Any):
        self.connection, self.keys, self.options = connection, keys, options
        self.start = here(connection)
        self.statements: list[str] = []
        self.ended: Any = None

    def table(self, name: str) -> binlog.Table:
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT column_name, column_type, COALESCE(character_set_name, '') FROM information_schema.columns "
                "WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
                (DATABASE, name),
            )
            columns = [
                binlog.Column(*(part.decode() if isinstance(part, bytes) else part for part in row))
                for row in cursor.fetchall()
            ]
        return binlog.Table(name, columns, self.keys[name].names, self.keys[name])

    def read(self, **options: Any) -> dict[str, binlog.Found]:
        """One pass to where the binlog stands now."""
        end = here(self.connection)
        tables = [self.table(name) for name in self.keys]
        self.statements = []
        ended = binlog.Pass(DATABASE, tables, self.start, end, **self.options, **options)
        with ended.over(connect()) as statements:
            self.statements = [statement.text for statement in statements]
        assert ended.is_reached
        self.start, self.ended = end, ended
        return {name: ended.found(name) for name in self.keys}

    def changes(self, name: str = "t", **options: Any) -> dict[Any, str]:
        """Key and what happened to it last."""
        found = self.read(**options)[name]
        assert found.keys is not None, found.reason
        return changed(found)


def changed(found: binlog.Found) -> dict[Any, str]:
    rows = [tuple(row.values()) for row in pa.record_batch(found.keys).to_pylist()]
    return {key[0] if len(key) == 1 else tuple(key): operation for *key, operation in rows}


Follow = Callable[..., Followed]
ID = pa.schema([pa.field("id", pa.int64(), nullable=False)])


@pytest.fixture
def follow(connection: pymysql.Connection) -> Iterator[Follow]:
    if not ask(connection, "SELECT @@GLOBAL.log_bin")[0]:
        pytest.skip("the server writes no binlog")

    def followed(*statements: str, keys: dict[str, pa.Schema] | None = None, **options: Any) -> Followed:
        execute(connection, *statements)
        return Followed(connection, keys or {"t": ID}, **options)

    yield followed


PLAIN = "CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR(300), n INT, big BLOB)"


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


@pytest.mark.parametrize("image", ["FULL", "MINIMAL", "NOBLOB"])
def test_row_images(follow: Follow, connection: pymysql.Connection, image: str) -> None:
    table = follow(
        "CREATE TABLE t (a INT NOT NULL, blank BLOB, id BIGINT, b VARCHAR(9), PRIMARY KEY (id, b))",
        keys={"t": pa.schema([("id", pa.int64()), ("b", pa.string())])},
    )
    execute(
        connection,
        f"SET SESSION binlog_row_image = {image}",
        "INSERT INTO t VALUES (1, 'x', 1, 'a'), (1, NULL, 2, 'b'), (1, 'y', 3, '')",
        "UPDATE t SET a = 2 WHERE id = 1",
        "UPDATE t SET b = 'c' WHERE id = 2",
        "DELETE FROM t WHERE id = 3",
    )
    assert table.changes() == {(1, "a"): UPDATE, (2, "b"): DELETE, (2, "c"): UPDATE, (3, ""): DELETE}


def test_an_image_without_the_key_leaves_the_table(follow: Follow, connection: pymysql.Connection) -> None:
    """The key of the contract is another one than the table's."""
    table = follow(
        "CREATE TABLE t (pk INT PRIMARY KEY, id BIGINT NOT NULL UNIQUE, n INT)",
        "CREATE TABLE u (id BIGINT PRIMARY KEY)",
        keys={"t": ID, "u": ID},
    )
    execute(connection, "SET SESSION binlog_row_image = MINIMAL", "INSERT INTO t VALUES (1, 10, 0)")
    execute(connection, "UPDATE t SET n = 1", "INSERT INTO u VALUES (1)")
    found = table.read()
    assert (found["t"].keys, found["t"].is_lost) == (None, False)
    assert "lacks its key" in found["t"].reason
    assert changed(found["u"]) == {1: INSERT}


INSTANT = pa.timestamp("us", tz="UTC")
TYPES = {
    "tinyint": (pa.int32(), ["-128", "0", "127"]),
    "tinyint unsigned": (pa.int32(), ["0", "128", "255"]),
    "smallint": (pa.int32(), ["-32768", "0", "32767"]),
    "smallint unsigned": (pa.int32(), ["0", "32768", "65535"]),
    "mediumint": (pa.int32(), ["-8388608", "-1", "0", "8388607"]),
    "mediumint unsigned": (pa.int32(), ["0", "8388608", "16777215"]),
    "int": (pa.int32(), ["-2147483648", "-1", "2147483647"]),
    "int unsigned": (pa.int64(), ["0", "2147483648", "4294967295"]),
    "bigint": (pa.int64(), ["-9223372036854775808", "-1", "9223372036854775807"]),
    "bigint unsigned": (pa.decimal128(20, 0), ["0", "9223372036854775808", "18446744073709551615"]),
    "decimal(20,4)": (pa.decimal128(20, 4), ["-1.5", "0", "-0.0001", "1234567890123456.7891"]),
    "decimal(9,9)": (pa.decimal128(9, 9), ["-0.000000001", "0.999999999"]),
    "decimal(38,0)": (pa.decimal128(38, 0), ["-" + "9" * 38, "0", "123456789012345678901"]),
    "decimal(60,20)": (pa.string(), ["-1.00000000000000000001", "9" * 40 + ".5", "0"]),
    "float": (pa.float32(), ["-1.5", "0", "0.1", "3.4e38", "1e-40"]),
    "double": (pa.float64(), ["-1.5", "0", "0.1", "1.7976931348623157e308"]),
    "date": (pa.date32(), ["'1000-01-01'", "'1969-12-31'", "'9999-12-31'"]),
    "datetime": (INSTANT, ["'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'"]),
    "datetime(3)": (INSTANT, ["'1582-10-04 00:00:00'", "'2026-01-01 00:00:00.001'", "'9999-12-31 23:59:59.999'"]),
    "timestamp": (INSTANT, ["'1970-01-01 00:00:01'", "'2000-02-29 23:59:59'", "'2038-01-19 03:14:07'"]),
    "timestamp(6)": (INSTANT, ["'1970-01-01 00:00:01.000001'", "'2026-03-29 01:30:00.5'"]),
    "time": (pa.string(), ["'-838:59:59'", "'00:00:00'", "'23:00:01'"]),
    "time(2)": (pa.string(), ["'-00:00:00.01'", "'-01:00:00.99'", "'838:59:58.50'"]),
    "time(6)": (pa.string(), ["'-00:00:00.000001'", "'00:00:00.5'", "'-838:59:58.999999'"]),
    "year": (pa.int32(), ["0", "1901", "2155"]),
    "bit(1)": (pa.int32(), ["0", "1"]),
    "bit(10)": (pa.int32(), ["0", "1", "513"]),
    "bit(64)": (pa.decimal128(20, 0), ["1", "18446744073709551615"]),
    "binary(4)": (pa.binary(), ["x'00000000'", "x'01000000'", "x'FFFFFF00'", "x'20202020'"]),
    "varbinary(300)": (pa.binary(), ["''", "x'00'", "x'0000'", "x'FF'", "REPEAT(x'AB', 300)"]),
    "varchar(20)": (pa.string(), ["''", "'a '", "'Ü'", "'😀'", "'100%'"]),
    "varchar(90)": (pa.string(), ["''", "REPEAT('😀', 90)"]),
    "char(8)": (pa.string(), ["'x'", "'y z'", "'é'"]),
    "char(90)": (pa.string(), ["'x'", "REPEAT('😀', 90)"]),
    "varchar(20) character set latin1": (pa.string(), ["'Ü'", "'€'", "x'81'", "'x'"]),
    "char(20) character set ascii": (pa.string(), ["''", "'x'"]),
    "varchar(20) character set utf8mb3": (pa.string(), ["'Ü'", "'x'"]),
}
MARIADB_TYPES = {
    "uuid": (
        pa.string(),
        [
            "'00000000-0000-0000-0000-000000000000'",
            "'123e4567-e89b-12d3-a456-426655440000'",
            "'017f22e2-79b0-7cc3-98c4-dc0c0c07398f'",
            "'f81d4fae-7dec-41d0-8765-00a0c91e6b00'",
            "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
            "'c232ab00-9414-11ec-b3c8-9f6bdeced846'",
        ],
    ),
    "inet4": (pa.string(), ["'0.0.0.0'", "'10.0.0.1'", "'255.255.255.0'"]),
    "inet6": (
        pa.string(),
        ["'::'", "'::1'", "'2001:db8::ff00:42:8329'", "'::ffff:10.0.0.1'", "'fe80::'", "'::1.2.3.4'"],
    ),
}


@pytest.mark.parametrize("mysql", [*TYPES, *MARIADB_TYPES])
def test_keys_are_the_values_that_the_reader_gives(follow: Follow, connection: pymysql.Connection, mysql: str) -> None:
    if mysql in MARIADB_TYPES and not is_mariadb(connection):
        pytest.skip("a type of MariaDB")
    arrow, values = (TYPES | MARIADB_TYPES)[mysql]
    schema = pa.schema([("k", arrow), ("line", pa.int64())])
    table = follow(
        f"CREATE TABLE t (doc JSON, kind ENUM('a','b'), many SET('a','b'), shape POINT, k {mysql} NOT NULL, "
        "line INT, n INT, PRIMARY KEY (k, line))",
        keys={"t": schema},
    )
    rows = ", ".join(
        f"({value}, 1, 0, '{{}}', 'a', 'a,b', POINT(1, 2)), ({value}, 2, 0, NULL, NULL, NULL, NULL)" for value in values
    )
    execute(connection, f"INSERT INTO t (k, line, n, doc, kind, many, shape) VALUES {rows}")
    stream = mysql_arrow.query(connection, "SELECT k, line FROM t", schema=schema)
    expected = {(row["k"], row["line"]) for batch in stream for row in pa.record_batch(batch).to_pylist()}
    assert len(expected) == 2 * len(values)
    assert table.changes() == dict.fromkeys(expected, INSERT)
    execute(connection, "UPDATE t SET line = line + 10 WHERE line = 1", "DELETE FROM t WHERE line = 2")
    moved = {(k, line + 10): UPDATE for k, line in expected if line == 1}
    assert table.changes() == dict.fromkeys(expected, DELETE) | moved


@pytest.mark.parametrize(
    "mysql, arrow, value, reason",
    [
        ("date", pa.date32(), "'0000-00-00'", "no date"),
        ("timestamp", INSTANT, "0", "no date"),
        ("bigint unsigned", pa.int64(), "18446744073709551615", "beyond int64"),
        ("double", pa.float64(), "-0e0", "-0.0"),
        ("varchar(9) character set gbk", pa.string(), "'x'", "gbk"),
        ("enum('a')", pa.string(), "'a'", "not taken from row events"),
    ],
)
def test_a_key_that_cannot_be_told_leaves_its_table(
    follow: Follow, connection: pymysql.Connection, mysql: str, arrow: pa.DataType, value: str, reason: str
) -> None:
    schema = pa.schema([("k", arrow)])
    table = follow(f"CREATE TABLE t (k {mysql} NOT NULL PRIMARY KEY)", keys={"t": schema})
    execute(connection, f"INSERT INTO t VALUES ({value})")
    found = table.read()["t"]
    assert (found.keys, found.is_lost) == (None, False)
    assert reason in found.reason


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


def xid(name: str) -> str:
    """Of this run alone, as the binlog has it: one that is left behind by a test that failed stays on the server."""
    return f"X'{f'{DATABASE}-{name}'.encode().hex()}',X'',1"


class TestXa:
    """Rows are told when a transaction is prepared, and are visible when it commits."""

    @staticmethod
    def prepare(connection: pymysql.Connection, name: str, *statements: str) -> None:
        execute(connection, f"XA START {xid(name)}", *statements, f"XA END {xid(name)}", f"XA PREPARE {xid(name)}")

    def test_prepared_and_decided_in_one_pass(self, follow: Follow, connection: pymysql.Connection) -> None:
        table = follow(PLAIN)
        self.prepare(connection, "one", "INSERT INTO t (id) VALUES (1)")
        execute(connection, f"XA COMMIT {xid('one')}")
        self.prepare(connection, "two", "INSERT INTO t (id) VALUES (2)")
        execute(connection, f"XA ROLLBACK {xid('two')}")
        assert set(table.changes()) == {1, 2}
        assert (table.ended.prepared, table.ended.decided) == ([], [])

    def test_decided_in_a_later_pass(self, follow: Follow, connection: pymysql.Connection) -> None:
        table = follow(PLAIN, "CREATE TABLE u (id BIGINT PRIMARY KEY)", keys={"t": ID, "u": ID})
        self.prepare(connection, "late", "INSERT INTO t (id) VALUES (1), (2)")
        with connect() as second:
            execute(second, f"USE {DATABASE}", "INSERT INTO t (id) VALUES (9)")
        found = table.read()
        [prepared] = table.ended.prepared
        assert prepared.xid == xid("late")
        keys = pa.record_batch(found["t"].keys)
        assert keys.take(prepared.keys["t"])["id"].to_pylist() == [1, 2]
        assert set(prepared.keys) == {"t"}
        execute(connection, f"XA COMMIT {xid('late')}")
        table.read()
        assert table.ended.decided == [binlog.Decided(prepared.xid, True, True)]
        assert (table.ended.prepared, table.statements) == ([], [])

    def test_of_another_database(self, follow: Follow, connection: pymysql.Connection) -> None:
        table = follow(PLAIN, f"CREATE DATABASE {DATABASE}_o", f"CREATE TABLE {DATABASE}_o.x (id INT PRIMARY KEY)")
        table.read()
        self.prepare(connection, "other", f"INSERT INTO {DATABASE}_o.x VALUES (1)")
        assert table.changes() == {}
        [prepared] = table.ended.prepared
        assert prepared.keys == {}
        execute(connection, f"XA COMMIT {xid('other')}")
        assert table.changes() == {}
        execute(connection, f"DROP DATABASE {DATABASE}_o")

    def test_in_one_phase(self, follow: Follow, connection: pymysql.Connection) -> None:
        table = follow(PLAIN)
        execute(connection, "XA START 'x'", "INSERT INTO t (id) VALUES (1)", "XA END 'x'", "XA COMMIT 'x' ONE PHASE")
        assert table.changes() == {1: INSERT}
        assert table.ended.prepared == []


def test_large_xa_transactions_are_remembered_by_their_tables(follow: Follow, connection: pymysql.Connection) -> None:
    table = follow("CREATE TABLE t (id BIGINT PRIMARY KEY)")
    rows = ", ".join(f"({number})" for number in range(10_001))
    TestXa.prepare(connection, "large", f"INSERT INTO t VALUES {rows}")
    assert len(table.changes()) == 10_001
    assert [one.keys for one in table.ended.prepared] == [{"t": None}]
    execute(connection, f"XA ROLLBACK {xid('large')}")


class TestMySQL:
    """What MariaDB has not."""

    @pytest.fixture(autouse=True)
    def only_mysql(self, connection: pymysql.Connection) -> None:
        if is_mariadb(connection):
            pytest.skip("MySQL's")

    def test_compressed_transactions(self, follow: Follow, connection: pymysql.Connection) -> None:
        table = follow(PLAIN, "CREATE TABLE u (id BIGINT PRIMARY KEY)", keys={"t": ID, "u": ID})
        execute(connection, "SET SESSION binlog_transaction_compression = ON")
        connection.begin()
        execute(
            connection,
            f"INSERT INTO t (id, name) VALUES {', '.join(f'({number}, REPEAT(0x78, 100))' for number in range(2000))}",
            "UPDATE t SET n = 1 WHERE id < 10",
            "INSERT INTO u VALUES (7)",
        )
        connection.commit()
        found = table.read()
        assert changed(found["t"]) == {number: UPDATE if number < 10 else INSERT for number in range(2000)}
        assert changed(found["u"]) == {7: INSERT}

    def test_compressed_xa(self, follow: Follow, connection: pymysql.Connection) -> None:
        table = follow(PLAIN)
        execute(connection, "SET SESSION binlog_transaction_compression = ON")
        TestXa.prepare(connection, "c", "INSERT INTO t (id, name) VALUES (1, REPEAT('x', 200))")
        assert set(table.changes()) == {1}
        assert [list(one.keys) for one in table.ended.prepared] == [["t"]]
        execute(connection, f"XA COMMIT {xid('c')}")
        table.read()
        assert [one.commits for one in table.ended.decided] == [True]

    def test_partial_json(self, follow: Follow, connection: pymysql.Connection) -> None:
        table = follow("CREATE TABLE t (a JSON, n INT, b JSON, id BIGINT PRIMARY KEY, c JSON)")
        document = "JSON_OBJECT('x', REPEAT('a', 1000), 'y', 1)"
        execute(
            connection, *(f"INSERT INTO t VALUES ({document}, 1, NULL, {number}, {document})" for number in range(9))
        )
        execute(
            connection,
            "SET SESSION binlog_row_value_options = PARTIAL_JSON",
            "UPDATE t SET a = JSON_SET(a, '$.y', 2), c = JSON_REMOVE(c, '$.y'), n = 2 WHERE id < 5",
            "SET SESSION binlog_row_image = MINIMAL",
            "UPDATE t SET c = JSON_SET(c, '$.z', 2) WHERE id = 6",
        )
        assert table.changes() == {number: UPDATE if number in (0, 1, 2, 3, 4, 6) else INSERT for number in range(9)}

    def test_vectors(self, follow: Follow, connection: pymysql.Connection) -> None:
        table = follow("CREATE TABLE t (v VECTOR(3), id BIGINT PRIMARY KEY, w VECTOR)")
        execute(connection, "INSERT INTO t VALUES (TO_VECTOR('[1,2,3]'), 1, NULL), (NULL, 2, TO_VECTOR('[1]'))")
        execute(connection, "SET GLOBAL binlog_row_metadata = FULL")
        try:
            execute(connection, "UPDATE t SET v = TO_VECTOR('[3,2,1]') WHERE id = 2")
        finally:
            execute(connection, "SET GLOBAL binlog_row_metadata = MINIMAL")
        assert table.changes() == {1: INSERT, 2: UPDATE}

    def test_tagged_gtids(self, follow: Follow, connection: pymysql.Connection) -> None:
        table = follow(PLAIN)
        for number in range(2):
            execute(connection, "SET SESSION gtid_next = 'AUTOMATIC:night'", f"INSERT INTO t (id) VALUES ({number})")
            execute(connection, "SET SESSION gtid_next = AUTOMATIC", f"INSERT INTO t (id) VALUES ({10 + number})")
            assert table.changes() == {number: INSERT, 10 + number: INSERT}


class TestMariaDB:
    """What MySQL has not."""

    @pytest.fixture(autouse=True)
    def only_mariadb(self, connection: pymysql.Connection) -> None:
        if not is_mariadb(connection):
            pytest.skip("MariaDB's")

    def test_compressed_events(self, follow: Follow, connection: pymysql.Connection) -> None:
        table = follow(PLAIN)
        # Of a transaction that begins with it: the setting is the server's.
        execute(connection, "SET GLOBAL log_bin_compress = ON", "SET GLOBAL log_bin_compress_min_len = 10")
        try:
            execute(
                connection,
                "INSERT INTO t (id, name) VALUES (1, REPEAT('x', 300)), (2, REPEAT('y', 300))",
                "UPDATE t SET name = REPEAT('z', 300) WHERE id = 1",
                "DELETE FROM t WHERE id = 2",
                f"CREATE TABLE {DATABASE}.later (id INT PRIMARY KEY, {', '.join(f'c{n} INT' for n in range(50))})",
            )
        finally:
            execute(connection, "SET GLOBAL log_bin_compress = OFF")
        assert table.changes() == {1: UPDATE, 2: DELETE}
        [statement] = table.statements
        assert statement.startswith("CREATE TABLE")

    def test_several_domains(self, follow: Follow, connection: pymysql.Connection) -> None:
        table = follow(PLAIN)
        for domain in (5, 0, 7, 5):
            execute(connection, f"SET SESSION gtid_domain_id = {domain}")
            execute(connection, f"INSERT INTO t (id) VALUES ({domain}) ON DUPLICATE KEY UPDATE n = {domain}")
        execute(connection, "SET SESSION gtid_domain_id = 0")
        assert table.changes() == {5: INSERT, 0: INSERT, 7: INSERT} | {5: UPDATE}

    def test_compressed_columns_beside_the_key(self, follow: Follow, connection: pymysql.Connection) -> None:
        table = follow("CREATE TABLE t (a VARCHAR(400) COMPRESSED, id BIGINT PRIMARY KEY, b BLOB COMPRESSED)")
        execute(connection, "INSERT INTO t VALUES (REPEAT('x', 300), 1, REPEAT('y', 3000)), (NULL, 2, 'z')")
        assert table.changes() == {1: INSERT, 2: INSERT}


def test_checksums_off(follow: Follow, connection: pymysql.Connection) -> None:
    table = follow(PLAIN)
    execute(connection, "SET GLOBAL binlog_checksum = NONE")
    try:
        execute(connection, "INSERT INTO t (id) VALUES (1)", "FLUSH BINARY LOGS", "INSERT INTO t (id) VALUES (2)")
        assert table.changes() == {1: INSERT, 2: INSERT}
    finally:
        execute(connection, "SET GLOBAL binlog_checksum = CRC32")


def test_load_data_as_a_statement(follow: Follow, connection: pymysql.Connection, tmp_path: Any) -> None:
    table = follow(PLAIN)
    if not ask(connection, "SELECT @@GLOBAL.local_infile")[0]:
        pytest.skip("the server takes no local file")
    file = tmp_path / "rows.csv"
    file.write_text("1,a\n2,b\n")
    with connect(local_infile=True) as loading:
        execute(loading, f"USE {DATABASE}", "SET SESSION binlog_format = STATEMENT")
        execute(loading, f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE t FIELDS TERMINATED BY ',' (id, name)")
    table.read()
    [statement] = table.statements
    assert "LOAD DATA" in statement and "INTO TABLE" in statement


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
