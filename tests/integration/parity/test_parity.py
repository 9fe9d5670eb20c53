"""A sweep names every row in which source and lake differ, and no other: the oracle is what the test did itself."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lake.ledger import parity_layout, parity_rows
from lake.ledger.parity import Finding
from lake.platform import storage
from tests.faults.record import Tell
from tests.integration.parity.conftest import Town
from tests.numbers import numbers
from tests.types import tables

ORDERS = (
    "CREATE TABLE orders (id BIGINT UNSIGNED PRIMARY KEY, status VARCHAR(20), total DECIMAL(12,2), at DATETIME(3))",
    "CREATE TABLE stores (code VARCHAR(10) PRIMARY KEY, name VARCHAR(40))",
    "INSERT INTO stores VALUES ('a', 'A street'), ('b', 'B street')",
)
MANY = f"INSERT INTO orders SELECT seq, 'new', seq / 4, '2026-01-01 10:00:00.5' FROM {numbers(1, 30_000)}"


def _named(finding: Finding) -> dict[str, list[Any]]:
    return {
        kind: sorted(next(iter(row.values())) for row in rows.to_pylist())
        for kind, rows in finding.drift.kinds.items()
        if rows.num_rows
    }


@pytest.fixture
def shop(town: Town) -> Town:
    """Two tables, published."""
    town.do(*ORDERS, MANY)
    town.contract("orders")
    town.contract("stores")
    town.run()
    return town


def test_nothing_differs(shop: Town) -> None:
    found = shop.sweep()
    assert [(one.source_rows, one.lake_rows) for one in found.values()] == [(30_000, 30_000), (2, 2)]
    assert all(one.is_equal for one in found.values())


@pytest.mark.fault("as_many_in_as_out")
def test_as_many_inserts_as_deletes_that_no_log_tells_of(shop: Town, tell: Tell) -> None:
    shop.do(
        "DELETE FROM orders WHERE id IN (7, 20000)",
        "INSERT INTO orders VALUES (40001, 'new', 1, NULL), (40002, 'new', 1, NULL)",
        binlog=False,
    )
    shop.run()
    found = shop.sweep()
    assert _named(found["orders"]) == {"missing": [40001, 40002], "surplus": [7, 20000]}
    assert found["orders"].drift.rows == 4
    assert found["stores"].is_equal
    tell("counts equal, a run later 4 of 30,000 rows named by their keys; no other table blamed")


@pytest.mark.fault("restored")
def test_content_that_a_restore_has_changed(shop: Town, tell: Tell) -> None:
    shop.do("UPDATE orders SET status = 'old' WHERE id IN (1, 15000, 30000)", binlog=False)
    found = shop.sweep()
    assert _named(found["orders"]) == {"changed": [1, 15000, 30000]}
    assert found["stores"].is_equal
    tell("3 of 30,000 rows named by their keys; no other table blamed")


def test_a_busy_table_has_not_drifted(shop: Town) -> None:
    shop.do(
        "UPDATE orders SET status = 'paid' WHERE id % 7 = 0",
        "DELETE FROM orders WHERE id % 1000 = 1",
        "INSERT INTO orders VALUES (50000, 'new', 1, NULL)",
        "UPDATE stores SET code = 'A' WHERE code = 'a'",
        "DELETE FROM stores WHERE code = 'b'",
        "INSERT INTO stores VALUES ('B', 'B street')",
    )
    found = shop.sweep()
    assert all(one.is_equal for one in found.values())
    assert found["orders"].source_rows == 30_000 - 30 + 1
    # What differs besides is found among the changes.
    shop.do("UPDATE orders SET total = -1 WHERE id = 5", binlog=False)
    assert _named(shop.sweep()["orders"])["changed"] == [5]


@pytest.mark.fault("changed_in_the_lake")
def test_a_row_that_was_changed_in_the_lake(shop: Town, tell: Tell) -> None:
    table = shop.lake("orders")
    row = table.scan(row_filter="id == 4711").to_arrow()
    table.delete("id == 4711")
    at = row.schema.get_field_index("status")
    table.append(row.set_column(at, row.schema.field(at), pa.array(["lost"])))
    stores = shop.lake("stores")
    stores.append(stores.scan(row_filter="code == 'a'").to_arrow())
    found = shop.sweep()
    assert _named(found["orders"]) == {"changed": [4711]}
    assert _named(found["stores"]) == {"doubled": ["a"]}
    tell("the row that was changed, and one that was there twice, named by their keys")


def test_many_rows_are_named_though_ranges_are_cut(shop: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parity_rows, "LISTED", 20)
    monkeypatch.setattr(parity_layout, "EVERY", 50)
    shop.do("UPDATE orders SET total = 0 WHERE id % 3001 = 5", binlog=False)
    assert _named(shop.sweep()["orders"])["changed"] == list(range(5, 30_001, 3001))
    shop.do("DELETE FROM orders WHERE id % 2 = 0", binlog=False)
    found = _named(shop.sweep()["orders"])
    assert found["surplus"] == list(range(2, 30_001, 2))
    assert found["changed"] == [key for key in range(5, 30_001, 3001) if key % 2]


@pytest.mark.fault("lake_byte_flipped")
def test_a_flipped_byte_in_a_file(shop: Town, tell: Tell) -> None:
    """Wherever it lies: a value is another one, or the file cannot be read, and nothing else is blamed."""
    (file,) = shop.lake("orders").inspect.files()["file_path"].to_pylist()
    whole = storage.get(file)
    ends = pq.ParquetFile(pa.BufferReader(whole)).metadata
    for column in range(ends.num_columns):
        pages = ends.row_group(0).column(column)
        broken = bytearray(whole)
        broken[pages.data_page_offset + pages.total_compressed_size // 2] ^= 0x10
        storage.put(file, bytes(broken))
        found = shop.sweep()
        assert found["orders"].drift.rows, pages.path_in_schema
        assert not found["orders"].is_equal
        assert found["stores"].is_equal
        if found["orders"].error:
            assert file in found["orders"].error
        else:
            assert found["orders"].drift.keys.num_rows
    storage.put(file, whole)
    assert shop.sweep()["orders"].is_equal
    tell(f"found in each of {ends.num_columns} columns: its rows named, or the file that cannot be read")


def test_every_type_is_hashed_alike(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the whole matrix of types: the server's sums are those of what the lake holds, to the byte."""
    town.do()
    town.ask("SET SESSION sql_log_bin = 0")
    with town.connection.cursor() as cursor:
        cursor.execute("ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
    for table in tables.make(town.connection):
        town.contract(table)
    town.contracts = tables.adjusted(town.contracts)
    town.run()
    listed = set()
    find = parity_rows.find

    def found(connection: Any, sums: Any, caught_up: Any, *others: Any) -> Any:
        listed.add(caught_up.contract.name_in_source)
        return find(connection, sums, caught_up, *others)

    monkeypatch.setattr(parity_rows, "find", found)
    swept = town.sweep()
    assert {name: (one.drift.rows, one.note) for name, one in swept.items()} == dict.fromkeys(swept, (0, ""))
    assert {name: one.source_rows for name, one in swept.items()} == {
        name: town.ask(f"SELECT COUNT(*) FROM `{name}`")[0][0] for name in swept
    }
    # Text that is none and the 31st of February are told only when they are read; a row of 20 MB is not hashed.
    assert listed <= {"bad", "bad_null", "large"}


def test_what_cannot_be_held_and_is_null_now(town: Town) -> None:
    """A value that waits in quarantine is not NULL: its row should come out."""
    town.do("CREATE TABLE days (id INT PRIMARY KEY, d DATE)", "INSERT INTO days VALUES (1, 0), (2, NULL), (3, 0)")
    town.contract("days")
    town.run()
    assert town.sweep()["days"].is_equal
    town.do("UPDATE days SET d = NULL WHERE id = 3", binlog=False)
    assert _named(town.sweep()["days"])["changed"] == [3]


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("a INT, b INT", "seq DIV 5000, seq"),
        ("a DATE, b SMALLINT UNSIGNED", "'2026-01-01' + INTERVAL seq DIV 10000 DAY, seq"),
        ("a DATETIME(6), b BIGINT UNSIGNED", "'2026-01-01', 18446744073709551615 - seq"),
        ("a DECIMAL(10,2), b INT", "seq / 4, seq"),
        ("a VARBINARY(8), b INT", "HEX(seq), seq"),
        ("a VARCHAR(8), b INT", "HEX(seq), seq"),
        ("a CHAR(3) COLLATE utf8mb4_general_ci, b INT", "IF(seq % 2, 'ä', 'B'), seq"),
    ],
)
def test_keys_of_every_order(town: Town, key: str, values: str) -> None:
    town.do(
        f"CREATE TABLE t ({key}, v INT, PRIMARY KEY (a, b)) CHARACTER SET utf8mb4",
        f"INSERT INTO t SELECT {values}, seq FROM {numbers(1, 20_000)}",
    )
    town.contract("t")
    town.run()
    assert town.sweep()["t"].is_equal
    town.do(
        "UPDATE t SET v = -1 WHERE v IN (1, 9999)",
        "DELETE FROM t WHERE v = 20000",
        "UPDATE t SET b = 0 WHERE v = 3",
        binlog=False,
    )
    drift = town.sweep()["t"].drift
    assert [side.num_rows for side in (drift.changed, drift.missing, drift.surplus)] == [2, 1, 2]
    assert drift.missing["b"].to_pylist() == [0]


def test_a_table_without_a_key(town: Town) -> None:
    """Every run reads it whole. What the shop changed since is not told from drift; what the lake changed is."""
    town.do("CREATE TABLE t (a INT, b VARCHAR(9))", "INSERT INTO t VALUES (1, 'x'), (1, 'x'), (2, 'y'), (NULL, NULL)")
    town.contract("t")
    town.run()
    assert town.sweep()["t"].is_equal
    town.lake("t").delete("a == 2")
    found = town.sweep()["t"]
    assert (found.drift.rows, found.note) == (1, "")
    town.do("INSERT INTO t VALUES (3, 'z')")
    found = town.sweep()["t"]
    assert found.drift.rows == 0
    assert "the next run reads it whole" in found.note
    assert (found.is_equal, found.is_sound) == (False, True)


def test_a_table_that_does_not_fit_its_contract_keeps_no_other_from_being_compared(shop: Town) -> None:
    shop.do("ALTER TABLE stores DROP COLUMN name")
    found = shop.sweep()
    assert found["orders"].is_equal
    assert "column" in found["stores"].error
    assert not found["stores"].is_sound
