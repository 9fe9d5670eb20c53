"""What the demo shop sells, asked of the database that the lake reads. Any other database has none of these."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pymysql.connections import Connection

from lake.observe.metrics import ORDERS, REVENUE, Sample
from lake.settings import settings
from lake.shop.database import LOADED
from lake.source import client, sources

REPLY_SECONDS = 20
MINUTES = 5

_MARKER = (
    "SELECT table_comment AS marker FROM information_schema.tables "
    "WHERE table_schema = DATABASE() AND table_name = 'orders'"
)
_ORDERS = f"SELECT COUNT(*) AS orders FROM orders WHERE ordered_at > UTC_TIMESTAMP(6) - INTERVAL {MINUTES} MINUTE"
_REVENUE = (
    "SELECT COALESCE(SUM(sales_value), 0) AS revenue FROM orders JOIN order_items USING (order_id) "
    "WHERE ordered_at >= UTC_DATE() AND ordered_at < UTC_DATE() + INTERVAL 1 DAY AND status <> 'cancelled'"
)


def collect() -> list[Sample]:
    """What it sells; nothing where there is no demo shop, or it is not loaded.

    Raises:
        SourceError: the database is away.
    """
    if not settings().source_host:
        return []
    with client.connected(sources.shop(), REPLY_SECONDS) as connection:
        return list(samples(connection))


def samples(connection: Connection[Any]) -> Iterator[Sample]:
    """What a database's answers come to."""
    found = client.fetch(connection, _MARKER)
    if not found or not str(found[0]["marker"]).startswith(LOADED):
        return
    (orders,), (revenue,) = client.fetch(connection, _ORDERS), client.fetch(connection, _REVENUE)
    yield ORDERS(orders["orders"] / MINUTES)
    yield REVENUE(revenue["revenue"])
