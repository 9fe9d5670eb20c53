"""The shop under the benchmark: its scale, its truth, and what changes in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pymysql.connections import Connection

from lake.commands.shop import load_command, shop
from lake.errors import LakeError
from lake.shop.acts import place_order
from lake.shop.database import exclusive, marker, speaking, value
from lake.shop.load import LOADED, LOADING
from lake.shop.replica import wait_for_replica
from lake.shop.rng import stream

TRUTH = """
    SELECT SUM(order_items.sales_value), SUM(order_items.quantity)
    FROM order_items INNER JOIN orders ON order_items.order_id = orders.order_id
    WHERE orders.status <> 'cancelled'
"""
CHANGE = """
    UPDATE order_items SET quantity = quantity + 1, sales_value = sales_value + 0.01
    WHERE MOD(order_item_id, 100) = 7
"""
"""One line in a hundred. `updated_at` moves by itself. The orders' own totals stay, so that only lines change."""

SEED = 1
_COMMENT = re.compile(r"sample (?P<sample>[0-9.]+), scale (?P<scale>[0-9]+)")


@dataclass(frozen=True)
class Truth:
    """What the shop itself says: revenue and units of the orders that were not cancelled."""

    revenue: Decimal
    units: int


def scale_of(comment: str) -> tuple[float, int]:
    """Sample and scale that the shop's comment tells; (0, 0) where it tells none."""
    found = _COMMENT.search(comment)
    return (float(found["sample"]), int(found["scale"])) if found else (0.0, 0)


def ensure(scale: int) -> bool:
    """Load the whole shop at a scale, unless it is there; whether it was loaded.

    Raises:
        LakeError: the database holds a table ``orders`` that is not the demo's.
    """
    with _speaking() as connection:
        comment = marker(connection)
    if comment is not None and not comment.startswith((LOADED, LOADING)):
        raise LakeError(
            "the database holds a shop that `lake shop load` did not make, and the benchmark would replace it",
            "run the benchmark on a platform of its own: LAKE_HOME=… lake up",
        )
    if comment and comment.startswith(LOADED) and scale_of(comment) == (1.0, scale):
        return False
    load_command(anchor=None, sample=1.0, seed=1, scale=scale, replace=comment is not None)
    return True


def truth() -> Truth:
    """Revenue and units, asked of the primary."""
    with _speaking() as connection, connection.cursor() as cursor:
        cursor.execute(TRUTH)
        row = cursor.fetchone()
    if row is None or row[0] is None:
        raise LakeError("the shop has no orders", "load it with `lake shop load`")
    return Truth(Decimal(row[0]), int(row[1]))


def order_lines() -> int:
    """How many order lines there are."""
    with _speaking() as connection:
        return int(value(connection, "SELECT COUNT(*) FROM order_items"))


def change_lines() -> int:
    """Change one order line in a hundred and wait for the replica; how many were changed."""
    with _speaking() as connection, exclusive(connection):
        with connection.cursor() as cursor:
            changed = int(cursor.execute(CHANGE))
        connection.commit()
        wait_for_replica(connection)
    return changed


def place_orders(orders: int) -> int:
    """Let customers place so many orders now, and wait for the replica; how many lines they are."""
    random = stream(SEED, "benchmark")
    with _speaking() as connection, exclusive(connection):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT customer_id FROM customers ORDER BY customer_id LIMIT {orders}")
            customers = [int(row[0]) for row in cursor.fetchall()]
            lines = 0
            for number in range(orders):
                lines += place_order(cursor, customers[number % len(customers)], random)["order_items"]
                connection.commit()
        wait_for_replica(connection)
    return lines


@contextmanager
def _speaking() -> Iterator[Connection[Any]]:
    with shop() as connection, speaking(connection):
        yield connection
