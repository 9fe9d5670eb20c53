"""Ranges of keys: whatever the key is, every row lies in exactly one, and none is much too large."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pymysql
import pytest

from lake.extract import chunks
from lake.source import client
from lake.source.detection import detect
from lake.source.sources import Source
from tests.numbers import numbers

TABLES = {
    "dense": ("id INT", f"SELECT seq FROM {numbers(1, 4000)}"),
    "negative": ("id BIGINT", f"SELECT CAST(seq AS SIGNED) - 2000 FROM {numbers(1, 4000)}"),
    "unsigned": ("id BIGINT UNSIGNED", f"SELECT 18446744073709551615 - seq FROM {numbers(1, 4000)}"),
    "sparse": (
        "id BIGINT",
        f"SELECT seq * seq * seq * 1000003 FROM {numbers(1, 4000)} UNION SELECT 1000000000000000000",
    ),
    "skewed": ("id BIGINT", f"SELECT 9000000000000000000 + seq FROM {numbers(1, 4000)} UNION SELECT 1"),
    "decimal": ("id DECIMAL(20,3)", f"SELECT seq / 8 FROM {numbers(1, 4000)}"),
    "text": ("id VARCHAR(60)", f"SELECT CONCAT('Customer ', LEFT(SHA2(seq, 256), 32)) FROM {numbers(1, 4000)}"),
    "binary text": (
        "id VARCHAR(60) COLLATE utf8mb4_bin",
        f"SELECT CONCAT('SKU_', UPPER(LEFT(SHA2(seq, 256), 32))) FROM {numbers(1, 4000)}",
    ),
    "emoji": ("id VARCHAR(40)", f"SELECT CONCAT('🛒Ж', LPAD(seq, 5, '0')) FROM {numbers(1, 4000)}"),
    "bytes": ("id VARBINARY(20)", f"SELECT UNHEX(LEFT(SHA2(seq, 256), 32)) FROM {numbers(1, 4000)}"),
    "day": ("id DATE", f"SELECT '1950-01-01' + INTERVAL seq DAY FROM {numbers(1, 4000)}"),
    "instant": ("id DATETIME(6)", f"SELECT '2026-01-01' + INTERVAL seq MICROSECOND FROM {numbers(1, 4000)}"),
    "pair": ("a INT, b INT", f"SELECT seq DIV 100, seq FROM {numbers(1, 4000)}"),
    "lopsided": ("a INT, b VARCHAR(20)", f"SELECT IF(seq < 3900, 7, seq), LPAD(seq, 6, '0') FROM {numbers(1, 4000)}"),
    "percent": ("`100%` INT", f"SELECT seq FROM {numbers(1, 4000)}"),
}


def plan(reading: Any, key: list[str], row_bytes: int, **sizes: int) -> list[chunks.Chunk]:
    """The ranges of the table `t`."""
    return chunks.plan(reading, detect(reading), "t", key, row_bytes, **sizes)


@pytest.mark.parametrize("name", TABLES)
def test_every_row_is_in_one_range(name: str, origin: Source, run_sql: Callable[[str], list[tuple[Any, ...]]]) -> None:
    columns, rows = TABLES[name]
    key = [part.strip().split()[0].strip("`") for part in columns.replace("(20,3)", "").split(",")]
    quoted = ", ".join(f"`{column}`" for column in key)
    run_sql(f"CREATE TABLE t ({columns}, PRIMARY KEY ({quoted})) ENGINE=InnoDB CHARACTER SET utf8mb4")
    run_sql(f"INSERT INTO t {rows}")
    run_sql("ANALYZE TABLE t")
    ((total,),) = run_sql("SELECT COUNT(*) FROM t")

    with client.connected(origin) as reading:
        planned = plan(reading, key, row_bytes=10, chunk_bytes=5000)
        found = [client.fetch(reading, f"SELECT {quoted.replace('%', '%%')} FROM t WHERE {c.condition or 1}")
                 for c in planned]  # fmt: skip

    sizes = [len(rows) for rows in found]
    assert sum(sizes) == total
    assert len({tuple(row.values()) for rows in found for row in rows}) == total
    assert len(sizes) >= 4
    # Twice the size that was asked for, and the optimiser's own error.
    assert max(sizes) < 1500


def test_a_small_table_and_one_without_a_key_are_read_whole(
    origin: Source, run_sql: Callable[[str], list[tuple[Any, ...]]]
) -> None:
    run_sql("CREATE TABLE t (id INT PRIMARY KEY)")
    run_sql("INSERT INTO t VALUES (1), (2)")
    with client.connected(origin) as reading:
        assert [chunk.condition for chunk in plan(reading, ["id"], 10)] == [""]
        assert [chunk.condition for chunk in plan(reading, [], 10, chunk_bytes=1)] == [""]


def test_an_empty_table_has_one_range(origin: Source, run_sql: Callable[[str], list[tuple[Any, ...]]]) -> None:
    run_sql("CREATE TABLE t (id INT PRIMARY KEY)")
    with client.connected(origin) as reading:
        assert [chunk.condition for chunk in plan(reading, ["id"], 10, chunk_bytes=1)] == [""]


def test_few_rows_on_one_side_of_every_boundary_are_divided_and_it_ends(
    origin: Source, run_sql: Callable[[str], list[tuple[Any, ...]]]
) -> None:
    run_sql("CREATE TABLE t (a INT, b INT, PRIMARY KEY (a, b))")
    run_sql("INSERT INTO t VALUES (7, 1), (7, 2), (8, 1)")
    with client.connected(origin) as reading:
        planned = plan(reading, ["a", "b"], row_bytes=1, chunk_bytes=1)
    found = [run_sql(f"SELECT a, b FROM t WHERE {chunk.condition}") for chunk in planned]
    # Between so few rows the servers' estimates differ, so which of them are divided does too.
    assert [row for rows in found for row in rows] == [(7, 1), (7, 2), (8, 1)]
    assert len(found) > 1 and all(found)


@pytest.mark.parametrize(
    "setting",
    [
        "explain_format = 'TREE'",
        "explain_format = 'TRADITIONAL_STRICT'",
        "explain_json_format_version = 1",
        "explain_json_format_version = 2",
        "optimizer_switch = 'hypergraph_optimizer=on'",
    ],
)
def test_rows_are_estimated_however_the_server_explains(
    setting: str, origin: Source, run_sql: Callable[[str], list[tuple[Any, ...]]]
) -> None:
    """A server that lacks a setting, as MariaDB lacks all of these, is asked without it."""
    run_sql("CREATE TABLE t (id INT PRIMARY KEY)")
    run_sql("INSERT INTO t VALUES " + ", ".join(f"({number})" for number in range(1000)))
    run_sql("ANALYZE TABLE t")
    with client.connected(origin) as reading:
        spoken = detect(reading)
        with suppress(pymysql.err.MySQLError):
            client.fetch(reading, f"SET SESSION {setting}")
        estimates = {
            condition: spoken.estimated_rows(reading, f"SELECT 1 FROM t{condition}")
            for condition in ("", " WHERE id >= 100 AND id < 150", " WHERE id = 7", " WHERE id > 5 AND id < 5")
        }
    assert list(estimates.values()) == [pytest.approx(1000, rel=0.2), pytest.approx(50, rel=0.2), 1, 0]
