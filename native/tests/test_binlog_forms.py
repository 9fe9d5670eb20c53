"""Forms in which servers write row events: images, XA, compressed ones, and what only one of the two has."""

from __future__ import annotations

from typing import Any

import mysql_arrow
import pyarrow as pa
import pymysql
import pytest
from following import DELETE, ID, INSERT, PLAIN, UPDATE, Follow, ask, changed, is_mariadb, xid
from mysql_arrow import binlog
from support import DATABASE, connect, execute

pytestmark = [
    pytest.mark.skipif(not mysql_arrow.NATIVE, reason="missing part: the extension is not built"),
]


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
