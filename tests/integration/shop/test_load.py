"""Loading a small shop into a real database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pymysql.connections import Connection

from lake.errors import LakeError, ServiceError, SourceError
from lake.shop.build import COPY_SHIFT, TABLES, build
from lake.shop.database import connect, exclusive, marker, value
from lake.shop.load import LOADING, load

ANCHOR = date(2026, 3, 1)
SAMPLE = 0.004
REWRITTEN = {"preferences", "attributes", "is_marketing_opt_in", "is_active"}
"""Columns whose values a driver gives in another way: JSON and truth."""

Address = tuple[str, int, str, str, str]


@pytest.fixture
def connection(shop_database: Address) -> Iterator[Connection[Any]]:
    opened = connect(*shop_database)
    yield opened
    opened.close()


def checksums(connection: Connection[Any]) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(f"CHECKSUM TABLE {', '.join(TABLES)}")
        return {row[0]: row[1] for row in cursor.fetchall()}


def test_every_row_arrives_as_it_was_built(connection: Connection[Any]) -> None:
    built = build(ANCHOR, seed=3, sample=SAMPLE)
    summary = load(connection, ANCHOR, seed=3, sample=SAMPLE)

    assert summary.is_new
    assert summary.rows == {name: table.num_rows for name, table in built.items()}
    assert {name: value(connection, f"SELECT COUNT(*) FROM {name}") for name in TABLES} == summary.rows
    with connection.cursor() as cursor:
        for name in ("orders", "payments", "refunds", "shipments", "reviews", "customers", "products"):
            columns = [column for column in built[name].column_names if column not in REWRITTEN]
            cursor.execute(f"SELECT {', '.join(columns)} FROM {name} ORDER BY 1")
            expected = sorted(built[name].select(columns).to_pylist(), key=lambda row: row[columns[0]])
            assert list(cursor.fetchall()) == [tuple(row.values()) for row in expected], name


def test_json_survives(connection: Connection[Any]) -> None:
    load(connection, ANCHOR, sample=0.02)
    query = "SELECT COUNT(*) FROM clickstream WHERE JSON_UNQUOTE(JSON_EXTRACT(properties, '$.query')) = %s"
    assert value(connection, query, ('tv 32"',)) > 0
    # Not by JSON_UNQUOTE: MariaDB 11.4 answers utf8mb3, with a question mark for the cake.
    assert value(connection, "SELECT COUNT(*) FROM clickstream WHERE properties LIKE %s", ("%birthday 🎂%",)) > 0


def test_the_same_seed_loads_the_same_shop(connection: Connection[Any]) -> None:
    load(connection, ANCHOR, seed=3, sample=SAMPLE)
    first = checksums(connection)
    load(connection, ANCHOR, seed=3, sample=SAMPLE, replace=True)
    assert checksums(connection) == first
    load(connection, ANCHOR, seed=4, sample=SAMPLE, replace=True)
    assert checksums(connection) != first


def test_a_shop_that_is_there_is_left_alone(connection: Connection[Any]) -> None:
    load(connection, ANCHOR, sample=SAMPLE)
    before = checksums(connection)
    summary = load(connection, date(2026, 2, 1), seed=9, sample=SAMPLE)
    assert not summary.is_new
    assert summary.rows == {}
    assert "anchor 2026-03-01, seed 1" in summary.description
    assert checksums(connection) == before


def test_an_interrupted_load_is_begun_again(connection: Connection[Any]) -> None:
    def interrupt(table: str, rows: int) -> None:
        if table == "orders":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(connection, ANCHOR, sample=SAMPLE, progress=interrupt)
    assert marker(connection) == LOADING
    assert load(connection, ANCHOR, sample=SAMPLE).is_new


def test_scale_repeats_what_surrounds_orders(connection: Connection[Any]) -> None:
    once = load(connection, ANCHOR, sample=SAMPLE).rows
    thrice = load(connection, ANCHOR, sample=SAMPLE, scale=3, replace=True).rows
    repeated = {"orders", "order_items", "payments", "refunds", "shipments"}
    assert thrice == {name: rows * (3 if name in repeated else 1) for name, rows in once.items()}
    assert value(connection, f"SELECT COUNT(*) FROM orders WHERE order_id > {2 * COPY_SHIFT}") == once["orders"]


def test_a_strangers_table_is_not_touched(connection: Connection[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE orders (id INT PRIMARY KEY)")
    with pytest.raises(SourceError, match="`lake shop load` did not make"):
        load(connection, ANCHOR, sample=SAMPLE)


def test_an_anchor_in_the_future(connection: Connection[Any]) -> None:
    coming = date(datetime.now(UTC).year + 1, 12, 31)
    with pytest.raises(LakeError, match=f"anchor {coming} lies after the database's today"):
        load(connection, coming, sample=SAMPLE)


def test_two_loads_exclude_each_other(connection: Connection[Any], shop_database: Address) -> None:
    other = connect(*shop_database)
    try:
        with (
            exclusive(connection),
            pytest.raises(ServiceError, match="another `lake shop load`"),
            exclusive(other, seconds=0),
        ):
            pass
    finally:
        other.close()


def test_a_wrong_password(shop_database: Address) -> None:
    host, port, user, _, database = shop_database
    with pytest.raises(SourceError, match="LAKE_SHOP_PASSWORD"):
        connect(host, port, user, "not the password", database)
