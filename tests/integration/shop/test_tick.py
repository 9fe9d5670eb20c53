"""A tick on a small shop: what it says it did is what the database shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pymysql.connections import Connection

from lake.errors import SourceError
from lake.shop.build import TABLES
from lake.shop.database import connect, value
from lake.shop.load import load
from lake.shop.tick import tick

ANCHOR = date(2026, 3, 1)
SAMPLE = 0.01

Address = tuple[str, int, str, str, str]


@pytest.fixture
def connection(shop_database: Address) -> Iterator[Connection[Any]]:
    opened = connect(*shop_database)
    load(opened, ANCHOR, seed=3, sample=SAMPLE)
    yield opened
    opened.close()


def revenue(connection: Connection[Any]) -> Decimal:
    query = "SELECT SUM(sales_value) FROM order_items JOIN orders USING (order_id) WHERE status <> 'cancelled'"
    return Decimal(value(connection, query))


def counts(connection: Connection[Any]) -> dict[str, int]:
    return {name: int(value(connection, f"SELECT COUNT(*) FROM {name}")) for name in TABLES}


def test_the_summary_is_what_happened(connection: Connection[Any]) -> None:
    start = value(connection, "SELECT NOW(6)")
    rows, money = counts(connection), revenue(connection)
    was_open = value(connection, "SELECT COUNT(*) FROM orders WHERE status IN ('placed', 'paid', 'shipped')")
    assert was_open > 0

    done = tick(connection, orders=20, seed=5)

    after = counts(connection)
    grown = {name: after[name] - rows[name] for name in TABLES}
    assert done.orders_placed == grown["orders"] == 20
    assert done.payments == grown["payments"] == 20 + done.payments_failed
    assert done.refunds == grown["refunds"] == 1
    assert done.order_items == grown["order_items"]
    assert done.customers_added - done.customers_erased == grown["customers"]
    assert done.customers_erased == 1
    assert done.reviews == grown["reviews"] == 2
    assert done.clickstream_events == grown["clickstream"]
    assert revenue(connection) == money + done.revenue_placed - done.revenue_cancelled

    def since(table: str, condition: str) -> int:
        return int(value(connection, f"SELECT COUNT(*) FROM {table} WHERE updated_at >= %s AND {condition}", (start,)))

    assert since("orders", f"created_at < '{start}' AND status = 'paid'") == done.orders_paid
    assert since("orders", f"created_at < '{start}' AND status = 'shipped'") == done.orders_shipped
    assert since("shipments", "delivered_at IS NOT NULL") == done.orders_delivered
    assert since("orders", "status = 'cancelled' AND cancelled_at IS NOT NULL") == done.orders_cancelled == 1
    assert since("payments", "status = 'refunded'") == done.orders_cancelled
    assert since("payments", "status = 'failed' AND failure IS NOT NULL") == done.payments_failed
    returned = value(connection, "SELECT SUM(amount) FROM refunds WHERE created_at >= %s", (start,))
    assert returned == done.revenue_refunded
    # Whoever is seen to order has put what was ordered into the cart.
    unseen = (
        "SELECT COUNT(*) FROM clickstream AS told JOIN order_items USING (order_id) "
        "WHERE told.event_type = 'order' AND told.created_at >= %s AND NOT EXISTS (SELECT 1 FROM clickstream AS cart "
        "WHERE cart.session_id = told.session_id AND cart.event_type = 'add_to_cart' "
        "AND cart.product_id = order_items.product_id)"
    )
    seen = "SELECT COUNT(*) FROM clickstream WHERE order_id IS NOT NULL AND created_at >= %s"
    assert value(connection, seen, (start,)) > 0
    assert value(connection, unseen, (start,)) == 0
    assert since("products", f"created_at < '{start}'") == done.prices_changed == 2
    assert since("customers", f"created_at < '{start}'") == done.customers_changed == 1


def test_what_must_always_hold_still_holds(connection: Connection[Any]) -> None:
    for seed in range(3):
        tick(connection, orders=10, seed=seed)
    unequal = (
        "SELECT COUNT(*) FROM orders JOIN (SELECT order_id, SUM(sales_value) AS total FROM order_items "
        "GROUP BY order_id) AS items USING (order_id) WHERE total <> total_amount"
    )
    assert value(connection, unequal) == 0
    unrefunded = (
        "SELECT COUNT(*) FROM orders JOIN payments USING (order_id) "
        "WHERE payments.status <> 'failed' AND (orders.status = 'cancelled') <> (payments.status = 'refunded')"
    )
    assert value(connection, unrefunded) == 0
    for table in TABLES:
        assert value(connection, f"SELECT COUNT(*) FROM {table} WHERE updated_at > NOW(6)") == 0, table


def test_a_forgotten_customer_is_nowhere(connection: Connection[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT customer_id FROM customers")
        before = {row[0] for row in cursor.fetchall()}
        tick(connection, orders=1, seed=5)
        cursor.execute("SELECT customer_id FROM customers")
        (forgotten,) = before - {row[0] for row in cursor.fetchall()}
    for table in ("orders", "reviews", "clickstream", "coupon_redemptions", "campaign_customers"):
        assert value(connection, f"SELECT COUNT(*) FROM {table} WHERE customer_id = %s", (forgotten,)) == 0, table
    assert value(connection, "SELECT COUNT(*) FROM orders WHERE customer_id IS NULL") > 0


def test_the_same_seed_does_the_same(connection: Connection[Any]) -> None:
    first = tick(connection, orders=10, seed=5)
    load(connection, ANCHOR, seed=3, sample=SAMPLE, replace=True)
    assert asdict(tick(connection, orders=10, seed=5)) == asdict(first)


def test_a_shop_that_was_not_loaded(shop_database: Address) -> None:
    opened = connect(*shop_database)
    try:
        with pytest.raises(SourceError, match=r"has not been loaded\n.*lake shop load"):
            tick(opened)
    finally:
        opened.close()


def test_a_shop_of_an_earlier_release(connection: Connection[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE refunds")
    with pytest.raises(SourceError, match=r"by an earlier release, and has no table refunds\n.*--replace"):
        tick(connection)
