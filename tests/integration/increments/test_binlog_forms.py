"""Forms in which servers write their binlogs, each followed by its keys, or costing the tables that it names and no
others. On both servers; `Lab.run` holds the lake against the source after every run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from tests.numbers import numbers

MakeLab = Callable[..., Any]

ITEMS = "CREATE TABLE items (id BIGINT PRIMARY KEY, name VARCHAR(50), n INT, doc LONGTEXT)"
CONTRACT = {
    "table": "items",
    "key": ["id"],
    "columns": {"id": {"type": "bigint", "nullable": False}, "name": {"type": "varchar(50)"}, "n": {"type": "int"}},
}


@pytest.fixture
def items(lab: MakeLab) -> Any:
    """A hundred rows that the lake has."""
    shop = lab(ITEMS, CONTRACT)
    shop.do(f"INSERT INTO items SELECT seq, CONCAT('n', seq), 0, REPEAT('x', 400) FROM {numbers(1, 100)}")
    assert shop.run().kind == "full"
    return shop


@contextmanager
def xa(shop: Any, name: str, *statements: str) -> Iterator[Callable[[str], None]]:
    """An XA transaction that is prepared, to be ended with COMMIT or ROLLBACK. Its name is of this database alone."""
    name = f"{shop.connect['database']}-{name}"
    with shop.session() as connection, connection.cursor() as cursor:
        for statement in (f"XA START '{name}'", *statements, f"XA END '{name}'", f"XA PREPARE '{name}'"):
            cursor.execute(statement)

        def end(how: str) -> None:
            cursor.execute(f"XA {how} '{name}'")

        yield end


def test_a_transaction_that_is_prepared_in_one_run_and_commits_in_a_later_one(items: Any) -> None:
    statements = (
        "UPDATE items SET n = 9 WHERE id = 9",
        "DELETE FROM items WHERE id = 10",
        "INSERT INTO items (id) VALUES (500)",
    )
    with xa(items, "one", *statements) as end:
        # Its rows are told now and are not visible yet.
        assert (items.run().kind, items.keys() & {(500,)}) == ("binlog", set())
        assert (items.run().kind, items.run().landed) == ("binlog", [])
        end("COMMIT")
    ran = items.run()
    assert (ran.kind, sorted(ran.landed), ran.deleted) == ("binlog", [(9,), (500,)], {(10,)})
    assert json.loads(items.states[-1])["prepared"] == {}
    assert (items.run().kind, items.run().landed) == ("binlog", [])


def test_a_transaction_that_is_prepared_in_one_run_and_rolled_back_in_a_later_one(items: Any) -> None:
    with xa(items, "one", "DELETE FROM items WHERE id = 9") as end:
        items.run()
        end("ROLLBACK")
    ran = items.run()
    assert (ran.kind, ran.landed, ran.deleted) == ("binlog", [], set())
    assert json.loads(items.states[-1])["prepared"] == {}


def test_a_decision_behind_the_snapshot_waits_for_the_next_run(items: Any) -> None:
    with xa(items, "one", "UPDATE items SET n = 9 WHERE id = 9") as end:
        items.run()
        assert items.run(meanwhile=partial(end, "COMMIT")).landed == []
    assert items.run().landed == [(9,)]


def test_a_transaction_that_was_prepared_before_the_first_run(lab: MakeLab) -> None:
    """Nobody knows what it touched: the table is read anew, once."""
    shop = lab(ITEMS, CONTRACT)
    shop.do("INSERT INTO items (id, n) VALUES (1, 1)")
    with xa(shop, "early", "UPDATE items SET n = 2") as end:
        shop.run()
        assert shop.run().kind == "binlog"
        end("COMMIT")
    ran = shop.run()
    assert ran.kind == "full" and "XA transaction that was prepared" in ran.reason
    assert shop.run().kind == "binlog"


def test_xa_on_another_database_costs_nothing(items: Any) -> None:
    other = f"{items.connect['database']}_x"
    items.do(f"CREATE DATABASE {other}", f"CREATE TABLE {other}.t (id INT PRIMARY KEY)")
    try:
        with xa(items, "other", f"INSERT INTO {other}.t VALUES (1)") as end:
            assert (items.run().kind, items.run().landed) == ("binlog", [])
            end("COMMIT")
        assert (items.run().kind, items.run().landed) == ("binlog", [])
    finally:
        items.do(f"DROP DATABASE {other}")


def test_a_large_xa_transaction_costs_the_tables_that_it_names(items: Any) -> None:
    with xa(items, "large", f"INSERT INTO items (id) SELECT seq FROM {numbers(1001, 12001)}") as end:
        assert items.run().kind == "binlog"
        end("COMMIT")
    ran = items.run()
    assert ran.kind == "full" and "too many rows" in ran.reason
    assert items.run().kind == "binlog"


@pytest.mark.parametrize("image", ["MINIMAL", "NOBLOB"])
def test_images_that_leave_columns_out(items: Any, image: str) -> None:
    items.do(
        f"SET SESSION binlog_row_image = {image}",
        "INSERT INTO items (id, name) VALUES (101, 'new')",
        "UPDATE items SET n = 7 WHERE id = 7",
        "UPDATE items SET id = 400 WHERE id = 4",
        "DELETE FROM items WHERE id = 5",
    )
    ran = items.run()
    assert (ran.kind, sorted(ran.landed), ran.deleted) == ("binlog", [(7,), (101,), (400,)], {(4,), (5,)})


def test_there_is_no_cap_on_changed_rows(lab: MakeLab) -> None:
    """A million in one pass are in `native/tests`; here every one of them would become a dictionary."""
    columns = {"id": {"type": "bigint", "nullable": False}, "n": {"type": "int"}}
    shop = lab("CREATE TABLE t (id BIGINT PRIMARY KEY, n INT)", {"table": "t", "key": ["id"], "columns": columns})
    shop.do("INSERT INTO t VALUES (1, 1)")
    shop.run()
    shop.do(f"INSERT INTO t SELECT seq, 1 FROM {numbers(2, 150_001)}")
    ran = shop.run()
    assert (ran.kind, len(ran.landed)) == ("binlog", 150_000)


def test_a_session_in_statement_format(items: Any) -> None:
    items.each("SET SESSION binlog_format = 'STATEMENT'", "DELETE FROM items WHERE id < 5")
    ran = items.run()
    assert ran.kind == "full" and "DELETE FROM items" in ran.reason
    assert items.run().kind == "binlog"


@pytest.mark.both_servers
class TestMySQL:
    """Row 3 and row 6 of what was seen, and what else MariaDB has not."""

    @pytest.fixture(autouse=True)
    def only_mysql(self, server: Any) -> None:
        if server.kind != "mysql":
            pytest.skip("MySQL's")

    def test_a_vector_beside_the_key(self, lab: MakeLab) -> None:
        shop = lab("CREATE TABLE items (v VECTOR(3), id BIGINT PRIMARY KEY, name VARCHAR(50), n INT)", CONTRACT)
        shop.do("INSERT INTO items VALUES (TO_VECTOR('[1,2,3]'), 1, 'a', 1)")
        shop.run()
        shop.do("INSERT INTO items VALUES (NULL, 2, 'b', 1)", "UPDATE items SET n = 2 WHERE id = 1")
        ran = shop.run()
        assert (ran.kind, sorted(ran.landed)) == ("binlog", [(1,), (2,)]), ran.reason

    def test_compressed_transactions(self, items: Any) -> None:
        items.each(
            "SET SESSION binlog_transaction_compression = ON",
            f"INSERT INTO items SELECT seq, 'x', 1, REPEAT('y', 500) FROM {numbers(1001, 2000)}",
            "DELETE FROM items WHERE id <= 3",
            "UPDATE items SET doc = REPEAT('z', 500), n = 3 WHERE id > 1900",
        )
        ran = items.run()
        assert (ran.kind, len(ran.landed), ran.deleted) == ("binlog", 1000, {(1,), (2,), (3,)})

    def test_compressed_transactions_of_another_database(self, items: Any) -> None:
        other = f"{items.connect['database']}_x"
        items.each(
            "SET SESSION binlog_transaction_compression = ON",
            f"CREATE DATABASE {other}",
            f"CREATE TABLE {other}.items (id INT PRIMARY KEY, t TEXT)",
            f"INSERT INTO {other}.items VALUES (1, REPEAT('x', 1000))",
            f"DROP DATABASE {other}",
        )
        assert (items.run().kind, items.run().landed) == ("binlog", [])

    def test_partial_json(self, lab: MakeLab) -> None:
        shop = lab("CREATE TABLE items (a JSON, id BIGINT PRIMARY KEY, name VARCHAR(50), b JSON, n INT)", CONTRACT)
        document = "JSON_OBJECT('x', REPEAT('a', 1000), 'y', 1)"
        shop.do(f"INSERT INTO items SELECT {document}, seq, 'x', {document}, 0 FROM {numbers(1, 9)}")
        shop.run()
        shop.each(
            "SET SESSION binlog_row_value_options = PARTIAL_JSON",
            "UPDATE items SET a = JSON_SET(a, '$.y', 2), n = 1 WHERE id < 4",
            "UPDATE items SET b = JSON_REMOVE(b, '$.y') WHERE id = 9",
        )
        ran = shop.run()
        assert (ran.kind, sorted(ran.landed)) == ("binlog", [(1,), (2,), (3,), (9,)])


@pytest.mark.both_servers
class TestMariaDB:
    """What MySQL has not."""

    @pytest.fixture(autouse=True)
    def only_mariadb(self, server: Any) -> None:
        if server.kind != "mariadb":
            pytest.skip("MariaDB's")

    def test_compressed_events(self, items: Any) -> None:
        items.do("SET GLOBAL log_bin_compress = ON")
        try:
            items.do("UPDATE items SET doc = REPEAT('y', 4000), n = 1 WHERE id < 5", "DELETE FROM items WHERE id = 50")
            ran = items.run()
            assert (ran.kind, len(ran.landed), ran.deleted) == ("binlog", 4, {(50,)})
            items.do(f"ALTER TABLE items ADD COLUMN later INT COMMENT '{'x' * 400}'")
            assert "ALTER TABLE items" in items.run().reason
        finally:
            items.do("SET GLOBAL log_bin_compress = OFF")

    def test_several_domains(self, items: Any) -> None:
        for domain in (5, 0, 7):
            items.each(f"SET SESSION gtid_domain_id = {domain}", f"UPDATE items SET n = 1 WHERE id = {domain + 1}")
        ran = items.run()
        assert (ran.kind, sorted(ran.landed)) == ("binlog", [(1,), (6,), (8,)])
