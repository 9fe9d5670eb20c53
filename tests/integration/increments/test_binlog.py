"""Changes told by the binlog, on a real server: nothing is compared, and what may hide a change makes a table be read
anew, with the reason.

`Lab.run` holds the lake against what SQL says of the source after every run.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from lake.changes import binlog
from tests.numbers import numbers

MakeLab = Callable[..., Any]

BIGINT = {"type": "bigint", "nullable": False}
ITEMS = "CREATE TABLE items (id BIGINT PRIMARY KEY, name VARCHAR(50), n INT)"
CONTRACT = {
    "table": "items",
    "key": ["id"],
    "columns": {"id": BIGINT, "name": {"type": "varchar(50)"}, "n": {"type": "int"}},
}


def fill(rows: int) -> str:
    """The first rows of `items`."""
    return f"INSERT INTO items SELECT seq, CONCAT('n', seq), 0 FROM {numbers(1, rows)}"


@pytest.fixture
def items(lab: MakeLab) -> Any:
    """A hundred rows that the lake has."""
    shop = lab(ITEMS, CONTRACT)
    shop.do(fill(100))
    assert shop.run().kind == "full"
    return shop


def test_inserts_updates_deletes_and_changed_keys(items: Any) -> None:
    items.do(
        "INSERT INTO items VALUES (101, 'new', 1), (102, 'gone again', 1)",
        "UPDATE items SET n = 1 WHERE id IN (1, 2)",
        "DELETE FROM items WHERE id IN (2, 3, 102)",
        "UPDATE items SET id = 400 WHERE id = 4",
    )
    ran = items.run()
    assert ran.kind == "binlog" and ran.reason == "the binlog tells every change"
    assert sorted(ran.landed) == [(1,), (101,), (400,)]
    assert ran.deleted == {(2,), (3,), (4,), (102,)}
    assert items.lake.asked == 0
    nothing = items.run()
    assert (nothing.kind, nothing.landed, nothing.deleted) == ("binlog", [], set())


def test_what_is_committed_after_the_snapshot_waits_for_the_next_run(items: Any) -> None:
    late = ["INSERT INTO items VALUES (101, 'late', 1)", "DELETE FROM items WHERE id = 50"]
    first = items.run(during=late)
    assert (first.landed, first.deleted) == ([], set())
    second = items.run()
    assert (second.landed, second.deleted) == ([(101,)], {(50,)})


def test_what_is_rolled_back_or_still_open_is_not_seen(items: Any) -> None:
    with items.session() as connection, connection.cursor() as cursor:
        connection.begin()
        cursor.execute("UPDATE items SET n = 5")
        connection.rollback()
        connection.begin()
        cursor.execute("UPDATE items SET n = 6 WHERE id = 9")
        cursor.execute("SAVEPOINT items")
        cursor.execute("DELETE FROM items WHERE id = 10")
        cursor.execute("ROLLBACK TO SAVEPOINT items")
        assert (items.run().kind, items.run().landed) == ("binlog", [])
        connection.commit()
    ran = items.run()
    assert (ran.landed, ran.deleted) == ([(9,)], set())


def test_other_databases_are_ignored(items: Any) -> None:
    other = items.connect["database"] + "_other"
    try:
        items.do(
            f"CREATE DATABASE {other}",
            f"CREATE TABLE {other}.items (id INT PRIMARY KEY)",
            f"INSERT INTO {other}.items VALUES (1), (2)",
            f"ALTER TABLE {other}.items ADD COLUMN x INT",
            f"TRUNCATE {other}.items",
            f"CREATE TABLE {other}.copy AS SELECT * FROM items",
        )
    finally:
        items.do(f"DROP DATABASE {other}")
    assert (items.run().kind, items.run().landed) == ("binlog", [])


@pytest.mark.both_servers
@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE TABLE items",
        "ALTER TABLE items ADD COLUMN later INT",
        "ALTER TABLE items MODIFY n BIGINT",
        "/*!40000 ALTER TABLE `items` DROP COLUMN n, ADD COLUMN n INT FIRST */",
        "SET STATEMENT lock_wait_timeout = 5 FOR ALTER TABLE items MODIFY n BIGINT",
        "RENAME TABLE items TO old, old TO items",
    ],
)
def test_a_table_that_was_defined_anew_is_read_anew(items: Any, server_kind: str, statement: str) -> None:
    if statement.startswith("SET STATEMENT") and "mysql" in server_kind:
        pytest.skip("MySQL has no such statement")
    items.do("UPDATE items SET n = 1 WHERE id = 1", statement)
    ran = items.run()
    assert ran.kind == "full" and ("may have changed it" in ran.reason or "was altered" in ran.reason)
    items.do("UPDATE items SET name = 'after' WHERE id = 2")
    assert items.run().kind == "binlog"


def test_statements_about_other_things_are_passed_over(items: Any) -> None:
    items.do(
        "CREATE VIEW v AS SELECT * FROM items",
        "CREATE TABLE other LIKE items",
        "CREATE INDEX by_n ON items (n)",
        "ANALYZE TABLE items",
        "CREATE TRIGGER t AFTER INSERT ON other FOR EACH ROW DELETE FROM items WHERE id = NEW.id",
        # By the trigger this changes a wanted table, which the row format tells.
        "INSERT INTO other VALUES (7, 'x', 1)",
    )
    ran = items.run()
    assert (ran.kind, ran.deleted) == ("binlog", {(7,)})


def test_a_statement_in_place_of_rows_makes_every_table_be_read_anew(items: Any) -> None:
    with items.session() as connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION binlog_format = 'STATEMENT'")
        cursor.execute("UPDATE items SET n = n + 1 WHERE id < 5")
    ran = items.run()
    assert ran.kind == "full" and "UPDATE items" in ran.reason


def test_a_large_transaction_is_read_within_bounds(items: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    items.do(f"INSERT INTO items SELECT seq, REPEAT('x', 50), 1 FROM {numbers(1001, 21000)}")
    ran = items.run()
    assert (ran.kind, len(ran.landed)) == ("binlog", 20_000)
    monkeypatch.setattr(binlog, "MAX_BYTES_PER_TABLE", 64 << 10)
    items.do("UPDATE items SET n = 2 WHERE id > 10000", "DELETE FROM items WHERE id = 1")
    ran = items.run()
    # No cursor, and no sums of the last run, which followed the binlog.
    assert ran.kind == "full" and "its changed keys take more than" in ran.reason


def test_too_many_changes_are_found_by_the_cursor_where_there_is_one(
    lab: MakeLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binlog, "MAX_BYTES_PER_TABLE", 500)
    columns = {**CONTRACT["columns"], "at": {"type": "datetime(6)", "nullable": False}}
    shop = lab(
        "CREATE TABLE items (id BIGINT PRIMARY KEY, name VARCHAR(50), n INT, "
        "at DATETIME(6) NOT NULL DEFAULT NOW(6) ON UPDATE NOW(6), KEY (at))",
        {**CONTRACT, "columns": columns, "cursor": "at"},
    )
    shop.do(f"INSERT INTO items (id) SELECT seq FROM {numbers(1, 100)}")
    shop.run()
    shop.do("UPDATE items SET n = 2 WHERE id < 90", "DELETE FROM items WHERE id = 100")
    ran = shop.run()
    assert ran.kind == "cursor" and "its changed keys take more than" in ran.reason
    assert (len(ran.landed), ran.deleted) == (89, {(100,)})
    monkeypatch.undo()
    shop.do("UPDATE items SET n = 3 WHERE id = 5")
    assert (shop.run().kind, shop.run().landed) == ("binlog", [])


KEYS = {
    "tiny unsigned": ("tinyint unsigned", ["0", "127", "128", "255"]),
    "medium": ("mediumint", ["-8388608", "-1", "0", "8388607"]),
    "medium unsigned": ("mediumint unsigned", ["0", "8388608", "16777215"]),
    "unsigned": ("int unsigned", ["0", "2147483648", "4294967295"]),
    "unsigned 64 bits": ("bigint unsigned", ["0", "9223372036854775808", "18446744073709551615"]),
    "decimal": ("decimal(20,4)", ["-1.5", "0", "-0.0001", "1234567890123456.7891"]),
    "day": ("date", ["'1000-01-01'", "'1969-12-31'", "'9999-12-31'"]),
    "instant": ("datetime(3)", ["'1582-10-04 00:00:00'", "'2026-01-01 00:00:00.001'", "'9999-12-31 23:59:59.999'"]),
    "timestamp": ("timestamp(6)", ["'1970-01-01 00:00:01'", "'2026-03-29 01:30:00.000001'", "'2038-01-19 03:14:07'"]),
    "bytes": ("varbinary(300)", ["''", "x'00'", "x'0000'", "x'FF'", "REPEAT(x'AB', 300)"]),
    "padded bytes": ("binary(4)", ["x'00000000'", "x'01000000'", "x'FFFFFF00'", "x'20202020'"]),
    "text": ("varchar(20)", ["''", "'a '", "'Ü'", "'😀'", "'o''clock'", "'100%'"]),
    "padded text": ("char(8)", ["'x'", "'y z'", "'é'"]),
    "latin1": ("varchar(20) character set latin1", ["'Ü'", "'€'", "x'81'", "'x'"]),
    "float": ("float", ["-1.5", "0", "0.1", "3.4e38", "1e-40"]),
    "double": ("double", ["-1.5", "0", "0.1", "1.7976931348623157e308", "1e-300"]),
    "year": ("year", ["0", "1901", "2155"]),
    "time": ("time(3)", ["'-838:59:59'", "'-00:00:00.001'", "'00:00:00'", "'23:00:01.5'"]),
    "bits": ("bit(10)", ["0", "1", "513"]),
}
MARIADB_KEYS = {
    "uuid": ("uuid", ["'123e4567-e89b-12d3-a456-426655440000'", "'017f22e2-79b0-7cc3-98c4-dc0c0c07398f'"]),
    "inet4": ("inet4", ["'0.0.0.0'", "'10.0.0.1'"]),
    "inet6": ("inet6", ["'::'", "'::1'", "'2001:db8::ff00:42:8329'", "'::ffff:10.0.0.1'"]),
}


@pytest.mark.parametrize(
    "name", [*KEYS, *(pytest.param(each, marks=pytest.mark.both_servers) for each in MARIADB_KEYS)]
)
def test_keys_of_every_type_are_those_that_the_reader_gives(lab: MakeLab, server: Any, name: str) -> None:
    """Every value is inserted, updated, changed as a key and deleted; beside columns of other types."""
    if name in MARIADB_KEYS and server.kind != "mariadb":
        pytest.skip("a type of MariaDB")
    mysql, values = (KEYS | MARIADB_KEYS)[name]
    contract = {
        "table": "t",
        "key": ["k", "line"],
        "columns": {
            "k": {"type": mysql.partition(" char")[0], "nullable": False},
            "line": {"type": "int", "nullable": False},
            "n": {"type": "int"},
        },
    }
    shop = lab(
        f"CREATE TABLE t (bad VARCHAR(20) CHARACTER SET latin1 DEFAULT x'E981', shape GEOMETRY DEFAULT (POINT(1, 2)), "
        f"doc JSON DEFAULT ('{{}}'), kind ENUM('a','b') DEFAULT 'a', twice INT AS (n * 2) VIRTUAL, k {mysql}, "
        "line INT, n INT, PRIMARY KEY (k, line))",
        contract,
    )
    shop.run()
    shop.do(*(f"INSERT INTO t (k, line, n) VALUES ({value}, 1, 0), ({value}, 2, 0)" for value in values))
    ran = shop.run()
    assert (ran.kind, len(ran.landed)) == ("binlog", 2 * len(values)), ran.reason
    shop.do("UPDATE t SET n = 1 WHERE line = 1", "DELETE FROM t WHERE line = 2")
    ran = shop.run()
    assert (ran.kind, len(ran.landed), len(ran.deleted)) == ("binlog", len(values), len(values))
    shop.do("UPDATE t SET line = 3 WHERE line = 1")
    ran = shop.run()
    assert (ran.kind, len(ran.landed), len(ran.deleted)) == ("binlog", len(values), len(values))


def test_a_text_key_that_differs_only_in_case(lab: MakeLab) -> None:
    contract = {"table": "t", "key": ["k"], "columns": {"k": {"type": "varchar(20)", "nullable": False}}}
    shop = lab("CREATE TABLE t (k VARCHAR(20) COLLATE utf8mb4_unicode_ci PRIMARY KEY)", contract)
    shop.do("INSERT INTO t VALUES ('abc'), ('Zeta')")
    shop.run()
    shop.do("UPDATE t SET k = 'ABC' WHERE k = 'abc'")
    ran = shop.run()
    assert (ran.kind, ran.landed, ran.deleted) == ("binlog", [("ABC",)], {("abc",)})


def test_a_key_that_is_no_date_is_left_to_another_way(lab: MakeLab) -> None:
    contract = {"table": "t", "key": ["d"], "columns": {"d": {"type": "date", "nullable": False}}}
    shop = lab("CREATE TABLE t (d DATE PRIMARY KEY)", contract)
    shop.run()
    shop.do("SET sql_mode = ''", "INSERT INTO t VALUES ('0000-00-00')", "DELETE FROM t")
    ran = shop.run()
    assert ran.kind == "full" and "cannot be taken from the binlog" in ran.reason


def test_a_table_that_a_foreign_key_changes_is_compared_where_the_engine_does_it(lab: MakeLab) -> None:
    """What the engine does stands in no binlog; a server that does it itself (MySQL since 9.6) writes it there."""
    contract = {
        "table": "children",
        "key": ["c"],
        "columns": {"c": BIGINT, "p": {"type": "bigint"}},
    }
    shop = lab("CREATE TABLE parents (p BIGINT PRIMARY KEY)", contract)
    shop.do(
        "CREATE TABLE children (c BIGINT PRIMARY KEY, p BIGINT, "
        "FOREIGN KEY (p) REFERENCES parents (p) ON DELETE CASCADE ON UPDATE CASCADE)",
        "INSERT INTO parents VALUES (1), (2), (3)",
        f"INSERT INTO children SELECT seq, seq % 3 + 1 FROM {numbers(1, 9)}",
    )
    shop.run()
    shop.do("DELETE FROM parents WHERE p = 1", "UPDATE parents SET p = 20 WHERE p = 2")
    ran = shop.run()
    with shop.session() as session, session.cursor() as cursor:
        is_told = cursor.execute("SHOW VARIABLES WHERE variable_name = 'innodb_native_foreign_keys' AND value = 'OFF'")
    assert ran.kind == ("binlog" if is_told else "sweep")
    assert ("no binlog tells" in ran.reason) == (not is_told)
    assert (len(ran.landed), len(ran.deleted)) == (3, 3)


NO_PLACES: dict[str, list[tuple[dict[str, Any], str]]] = {
    "mariadb": [
        ({"server": "another"}, "another server answers"),
        ({"file": "binlog.000000"}, "the binlog is purged"),
        ({"offset": 1 << 40}, "set back"),
        ({"gtid": "0-1-1"}, "set back"),
        ({"server": "3e11fa47", "gtid": "3e11fa47:1-5", "file": "", "offset": 0}, "another server answers"),
    ],
    # Whichever server of a group answers: they share their transactions, not their files.
    "mysql": [
        ({"gtid": "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5"}, "does not know all of the transactions"),
        ({"gtid": ""}, "no GTIDs"),
        ({"gtid": "0-1-1977", "file": "binlog.000004"}, "a server of another kind answers"),
    ],
}


def test_a_position_that_is_none_of_this_server_is_refused(items: Any, server: Any) -> None:
    good = items.states[-1]
    for changes, expected in NO_PLACES[server.kind]:
        state = json.loads(good)
        state["position"] |= changes
        items.states.append(json.dumps(state))
        ran = items.run()
        assert ran.kind == "full" and expected in ran.reason


def test_a_replica_is_followed_and_tells_a_commit_that_comes_late(
    lab: MakeLab, source: dict[str, Any], replica_port: int
) -> None:
    """Its primary's open transactions cannot be seen there; they arrive whole, whatever their cursor says."""
    columns = {**CONTRACT["columns"], "at": {"type": "datetime(6)", "nullable": False}}
    shop = lab(
        "CREATE TABLE items (id BIGINT PRIMARY KEY, name VARCHAR(50), n INT, "
        "at DATETIME(6) NOT NULL DEFAULT NOW(6) ON UPDATE NOW(6))",
        {**CONTRACT, "columns": columns, "cursor": "at"},
        {**source, "port": replica_port},
    )
    shop.do("INSERT INTO items (id) VALUES (1), (2), (3)")
    assert shop.run().kind == "full"
    assert "a replica" in json.loads(shop.states[-1])["open"]["reason"]
    with shop.session() as late, late.cursor() as cursor:
        late.begin()
        cursor.execute("UPDATE items SET n = 1 WHERE id = 1")
        cursor.execute("DELETE FROM items WHERE id = 2")
        shop.do("INSERT INTO items (id) VALUES (4)")
        assert shop.run().landed == [(4,)]
        late.commit()
    ran = shop.run()
    assert (ran.kind, ran.landed, ran.deleted) == ("binlog", [(1,)], {(2,)})
