"""Changes found by comparing: by cursor with key sums, and by row sums, on a real server.

`Lab.run` holds the lake against what SQL says of the source after every run.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from lake.changes import buckets
from tests.numbers import numbers

MakeLab = Callable[..., Any]

BIGINT = {"type": "bigint", "nullable": False}
AT = {"type": "datetime(6)", "nullable": False}

ITEMS = "CREATE TABLE items (id BIGINT PRIMARY KEY, name VARCHAR(50), at DATETIME(6) NOT NULL, KEY (at))"
ITEMS_CONTRACT = {"table": "items", "key": ["id"], "columns": {"id": BIGINT, "name": {"type": "varchar(50)"}, "at": AT}}
BY_CURSOR = {**ITEMS_CONTRACT, "cursor": "at", "increment": "cursor"}
BY_SWEEP = {**ITEMS_CONTRACT, "increment": "sweep"}


@pytest.fixture(autouse=True)
def small_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a thousand rows have many bounds to go wrong at."""
    monkeypatch.setattr(buckets, "SMALLEST", 10)


def fill(rows: int) -> str:
    """The first rows of `items`."""
    made = "SELECT seq, CONCAT('n', seq), '2026-01-01' + INTERVAL seq SECOND"
    return f"INSERT INTO items {made} FROM {numbers(1, rows)}"


@pytest.mark.parametrize("contract", [BY_CURSOR, BY_SWEEP], ids=["cursor", "sweep"])
def test_only_what_changed_travels(lab: MakeLab, contract: dict[str, Any]) -> None:
    shop = lab(ITEMS, contract)
    shop.do(fill(1000))
    assert (shop.run().kind, len(shop.keys())) == ("full", 1000)
    nothing = shop.run()
    assert (nothing.kind, nothing.landed, nothing.deleted, shop.lake.asked) == (contract["increment"], [], set(), 0)
    shop.do(
        "UPDATE items SET name = 'new', at = '2026-02-01' WHERE id IN (1, 500, 1000)",
        "DELETE FROM items WHERE id IN (2, 501, 999)",
        "INSERT INTO items VALUES (-5, 'before all', '2026-02-01'), (2000, NULL, '2026-02-01')",
    )
    ran = shop.run()
    assert sorted(ran.landed) == [(-5,), (1,), (500,), (1000,), (2000,)]
    assert ran.deleted == {(2,), (501,), (999,)}
    assert ran.found.increment.found["buckets"] < 10
    again = shop.run()
    assert (again.landed, again.deleted) == ([], set())


@pytest.mark.parametrize("contract", [BY_CURSOR, BY_SWEEP], ids=["cursor", "sweep"])
def test_what_is_committed_after_the_snapshot_waits_for_the_next_run(lab: MakeLab, contract: dict[str, Any]) -> None:
    shop = lab(ITEMS, contract)
    shop.do(fill(100))
    shop.run()
    late = ["INSERT INTO items VALUES (101, 'late', NOW(6))", "DELETE FROM items WHERE id = 50"]
    first = shop.run(during=late)
    assert (first.landed, first.deleted) == ([], set())
    second = shop.run()
    assert (second.landed, second.deleted) == ([(101,)], {(50,)})


@pytest.mark.parametrize("contract", [BY_CURSOR, BY_SWEEP], ids=["cursor", "sweep"])
def test_a_table_may_be_empty_before_and_after(lab: MakeLab, contract: dict[str, Any]) -> None:
    shop = lab(ITEMS, contract)
    assert shop.run().kind == "full"
    # No row, no watermark: the cursor has nothing to start from.
    assert shop.run().kind == ("full" if contract is BY_CURSOR else "sweep")
    shop.do(fill(100))
    shop.run()
    assert len(shop.keys()) == 100
    shop.run()
    shop.do("DELETE FROM items")
    ran = shop.run()
    assert (ran.kind, len(ran.deleted), shop.keys()) == (contract["increment"], 100, set())


def test_an_update_without_a_cursor_is_found_by_a_sweep(lab: MakeLab) -> None:
    shop = lab(ITEMS, BY_SWEEP)
    shop.do(fill(1000))
    shop.run()
    shop.do("UPDATE items SET name = NULL WHERE id = 777")
    assert shop.run().landed == [(777,)]
    # Swapped between two rows of one bucket: a sum of the columns would be the same.
    shop.do("UPDATE items SET name = IF(id = 11, 'n12', 'n11') WHERE id IN (11, 12)")
    assert sorted(shop.run().landed) == [(11,), (12,)]


def test_rows_that_come_with_an_old_cursor_are_found_by_their_keys(lab: MakeLab) -> None:
    shop = lab(ITEMS, BY_CURSOR)
    shop.do(fill(1000))
    shop.run()
    shop.do("INSERT INTO items VALUES (5000, 'imported', '2020-01-01'), (5001, 'new', '2026-03-01')")
    assert sorted(shop.run().landed) == [(5000,), (5001,)]


@pytest.mark.parametrize("contract", [BY_CURSOR, BY_SWEEP], ids=["cursor", "sweep"])
def test_a_key_changed_in_place_is_a_delete_and_a_new_row(lab: MakeLab, contract: dict[str, Any]) -> None:
    shop = lab(ITEMS, contract)
    shop.do(fill(100))
    shop.run()
    shop.do("UPDATE items SET id = 700 WHERE id = 7")
    ran = shop.run()
    assert (ran.landed, ran.deleted) == ([(700,)], {(7,)})


def test_a_commit_that_comes_later_than_its_cursor_is_not_lost(lab: MakeLab) -> None:
    shop = lab(ITEMS, BY_CURSOR)
    shop.do(fill(10))
    shop.run()
    with shop.session() as late, late.cursor() as cursor:
        late.begin()
        cursor.execute("INSERT INTO items VALUES (50, 'late', UTC_TIMESTAMP(6))")
        cursor.execute("UPDATE items SET name = 'late', at = UTC_TIMESTAMP(6) WHERE id = 3")
        cursor.execute("DO SLEEP(1.2)")
        # Committed at once, with a later cursor: the watermark goes past the open transaction.
        shop.do("INSERT INTO items VALUES (51, 'early', UTC_TIMESTAMP(6))")
        assert shop.run().landed == [(51,)]
        late.commit()
    assert sorted(shop.run().landed) == [(3,), (50,)]
    assert shop.run().landed == []


def test_buckets_grow_at_the_tail_and_in_the_middle_and_join_when_they_shrink(lab: MakeLab) -> None:
    shop = lab(ITEMS, BY_SWEEP)
    shop.do(f"INSERT INTO items SELECT seq * 1000, 'x', '2026-01-01' FROM {numbers(1, 100)}")
    shop.run()
    first = _bounds(shop)
    assert len(first) == 9
    shop.run()
    assert _bounds(shop) == first
    shop.do(f"INSERT INTO items SELECT 100000 + seq, 'tail', '2026-01-01' FROM {numbers(1, 300)}")
    shop.run()
    grown = _bounds(shop)
    assert grown[: len(first)] == first and len(grown) > 30
    shop.do(f"INSERT INTO items SELECT 50001 + seq, 'middle', '2026-01-01' FROM {numbers(1, 200)}")
    assert len(shop.run().landed) == 200
    assert len(_bounds(shop)) > len(grown)
    shop.do("DELETE FROM items WHERE id > 2000")
    shop.run()
    assert len(_bounds(shop)) < 3
    shop.do(fill(30).replace("SELECT seq,", "SELECT seq + 700000,"))
    assert len(shop.run().landed) == 30


def _bounds(shop: Any) -> list[Any]:
    return json.loads(shop.states[-1])["rows"]["bounds"]


KEYS = {
    "unsigned 64 bits": (
        "bigint unsigned",
        ["0", "1", "9223372036854775807", "9223372036854775808", "18446744073709551615"],
    ),
    "decimal": ("decimal(20,4)", ["-1.5", "0", "0.0001", "1234567890123456.7891"]),
    "day": ("date", ["'1000-01-01'", "'1969-12-31'", "'2026-01-01'", "'9999-12-31'"]),
    "instant": (
        "datetime(6)",
        ["'1582-10-04 00:00:00'", "'2026-01-01 00:00:00.000001'", "'9999-12-31 23:59:59.999999'"],
    ),
    "timestamp": ("timestamp(3)", ["'1970-01-01 00:00:01'", "'2026-01-01 12:00:00.123'", "'2038-01-19 03:14:07'"]),
    "bytes": ("varbinary(20)", ["''", "x'00'", "x'0000'", "x'FF'", "x'6162'"]),
    "uuid bytes": ("binary(4)", ["x'00000000'", "x'01000000'", "x'FFFFFF00'", "x'2C2C2C2C'"]),
    "text": ("varchar(20)", ["''", "'a'", "'Ü'", "'😀'", "'o''clock'", "'a,b'", "'100%'"]),
    "padded text": ("char(8)", ["'x'", "'y z'", "'%s'"]),
}


@pytest.mark.parametrize("way", ["cursor", "sweep"])
@pytest.mark.parametrize("mysql, values", KEYS.values(), ids=KEYS.keys())
def test_keys_of_every_type(lab: MakeLab, mysql: str, values: list[str], way: str) -> None:
    contract = {
        "table": "t",
        "key": ["k"],
        "cursor": "at",
        "increment": way,
        "columns": {"k": {"type": mysql, "nullable": False}, "n": {"type": "int"}, "at": AT},
    }
    shop = lab(f"CREATE TABLE t (k {mysql} PRIMARY KEY, n INT, at DATETIME(6) NOT NULL)", contract)
    odd, even = values[1::2], values[::2]
    shop.do(*(f"INSERT INTO t VALUES ({value}, 1, '2026-01-01')" for value in even))
    shop.run()
    shop.do(
        *(f"INSERT INTO t VALUES ({value}, 2, '2025-01-01')" for value in odd), f"DELETE FROM t WHERE k = {even[-1]}"
    )
    ran = shop.run()
    assert (len(ran.landed), len(ran.deleted)) == (len(odd), 1)
    shop.do("DELETE FROM t")
    assert len(shop.run().deleted) == len(values) - 1


@pytest.mark.parametrize("way", ["cursor", "sweep"])
def test_composite_keys(lab: MakeLab, way: str) -> None:
    contract = {
        "table": "t",
        "key": ["a", "b", "c"],
        "cursor": "at",
        "increment": way,
        "columns": {
            "a": {"type": "int unsigned", "nullable": False},
            "b": {"type": "date", "nullable": False},
            "c": BIGINT,
            "at": AT,
        },
    }
    shop = lab(
        "CREATE TABLE t (a INT UNSIGNED, b DATE, c BIGINT, at DATETIME(6) NOT NULL, PRIMARY KEY (a, b, c))", contract
    )
    shop.do(
        "INSERT INTO t SELECT 4294967295 - seq DIV 100, '2026-01-01' + INTERVAL seq DIV 10 DAY, "
        "CAST(seq % 10 AS SIGNED) - 5, "
        f"'2026-01-01' FROM {numbers(0, 999)}"
    )
    shop.run()
    shop.do(
        "DELETE FROM t WHERE c = 0 AND a = 4294967290",
        "INSERT INTO t VALUES (0, '2026-01-01', 0, '2020-01-01'), (4294967290, '2026-03-05', 99, '2020-01-01')",
    )
    ran = shop.run()
    assert (len(ran.landed), len(ran.deleted)) == (2, 10)
    assert ran.found.increment.found["buckets"] < 30


@pytest.mark.parametrize("way", ["cursor", "sweep"])
def test_a_key_of_text_and_numbers(lab: MakeLab, way: str) -> None:
    contract = {
        "table": "t",
        "key": ["code", "line"],
        "cursor": "at",
        "increment": way,
        "columns": {
            "code": {"type": "varchar(20)", "nullable": False},
            "line": {"type": "bigint unsigned", "nullable": False},
            "at": AT,
        },
    }
    shop = lab(
        "CREATE TABLE t (code VARCHAR(20) CHARACTER SET latin1, line BIGINT UNSIGNED, at DATETIME(6) NOT NULL, "
        "PRIMARY KEY (code, line))",
        contract,
    )
    shop.do(f"INSERT INTO t SELECT CONCAT('Ö', seq DIV 3), seq, '2026-01-01' FROM {numbers(1, 500)}")
    shop.run()
    shop.do(
        "INSERT INTO t VALUES ('Ö3', 18446744073709551615, '2020-01-01')", "DELETE FROM t WHERE line BETWEEN 10 AND 12"
    )
    ran = shop.run()
    assert (ran.landed, len(ran.deleted)) == ([("Ö3", 18446744073709551615)], 3)
    # Far more rows than the buckets were laid out for.
    shop.do(f"INSERT INTO t SELECT CONCAT('n', seq), seq, '2020-01-01' FROM {numbers(1, 3000)}")
    assert len(shop.run().landed) == 3000
    shop.do("DELETE FROM t WHERE code = 'n77'")
    assert shop.run().deleted == {("n77", 77)}


@pytest.mark.parametrize("way", ["cursor", "sweep"])
def test_a_text_key_that_differs_only_in_case(lab: MakeLab, way: str) -> None:
    """The server takes both for the same key, the lake does not."""
    contract = {
        "table": "t",
        "key": ["k"],
        "cursor": "at",
        "increment": way,
        "columns": {"k": {"type": "varchar(20)", "nullable": False}, "at": AT},
    }
    shop = lab(
        "CREATE TABLE t (k VARCHAR(20) COLLATE utf8mb4_unicode_ci PRIMARY KEY, at DATETIME(6) NOT NULL)", contract
    )
    shop.do("INSERT INTO t VALUES ('abc', '2026-01-01'), ('Zeta', '2026-01-01')")
    shop.run()
    shop.do("UPDATE t SET k = 'ABC' WHERE k = 'abc'")
    ran = shop.run()
    assert (ran.landed, ran.deleted) == ([("ABC",)], {("abc",)})


def test_a_row_that_is_too_large_to_be_summed_makes_the_table_be_read_whole(lab: MakeLab) -> None:
    shop = lab(
        "CREATE TABLE t (id BIGINT PRIMARY KEY, body LONGTEXT)",
        {"table": "t", "key": ["id"], "increment": "sweep", "columns": {"id": BIGINT, "body": {"type": "longtext"}}},
    )
    shop.do("INSERT INTO t VALUES (1, 'small')")
    shop.run()
    # As large as the server takes; with the row's other pieces it is larger.
    shop.do("INSERT INTO t VALUES (2, REPEAT('x', @@max_allowed_packet - 4))")
    ran = shop.run()
    assert ran.kind == "full" and "max_allowed_packet" in ran.reason


def test_two_rows_that_exchange_halves_of_their_keys_are_seen(lab: MakeLab) -> None:
    """Counts, sums of the numbers and sums of their CRC32 stay the same here: it is linear."""
    columns = {"a": BIGINT, "b": BIGINT, "at": AT}
    shop = lab(
        "CREATE TABLE links (a BIGINT, b BIGINT, at DATETIME(6) NOT NULL, PRIMARY KEY (a, b), KEY (at))",
        {"table": "links", "key": ["a", "b"], "cursor": "at", "increment": "cursor", "columns": columns},
    )
    shop.do("INSERT INTO links VALUES (6553, 3213, '2026-01-01'), (7704, 4462, '2026-01-01')")
    shop.run()
    shop.do("DELETE FROM links", "INSERT INTO links VALUES (6553, 4462, '2026-02-01'), (7704, 3213, '2026-02-01')")
    ran = shop.run()
    assert (ran.kind, ran.deleted) == ("cursor", {(6553, 3213), (7704, 4462)})


def test_a_contract_whose_columns_changed_is_read_whole(lab: MakeLab) -> None:
    shop = lab(ITEMS, BY_SWEEP)
    shop.do(fill(10))
    shop.run()
    shop.contract = shop.contract.model_copy(
        update={"columns": {name: column for name, column in shop.contract.columns.items() if name != "name"}}
    )
    for name in ("schema", "read_schema"):
        shop.contract.__dict__.pop(name, None)
    shop.lake.contract = shop.contract
    ran = shop.run()
    assert ran.kind == "full" and "columns" in ran.reason


def test_instants_of_the_watermark_itself_are_read_again(lab: MakeLab) -> None:
    """A cursor of whole seconds: more rows of the newest second may come."""
    contract = {**BY_CURSOR, "deletes": "none", "columns": {**ITEMS_CONTRACT["columns"], "at": {"type": "datetime"}}}
    shop = lab(ITEMS.replace("DATETIME(6)", "DATETIME"), contract)
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    shop.do(f"INSERT INTO items VALUES (1, 'a', '{now}')")
    shop.run()
    shop.do(f"INSERT INTO items VALUES (2, 'b', '{now}')")
    assert shop.run().landed == [(2,)]
