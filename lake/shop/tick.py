"""Time passes in the shop: new orders, parcels on their way, changed prices, a customer who wants to be forgotten.

Each act is a committed transaction of its own, as in a shop, and carries the database's own clock.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from lake.errors import LakeError, SourceError
from lake.shop import acts
from lake.shop.acts import Act
from lake.shop.database import exclusive, marker, speaking
from lake.shop.load import LOADED
from lake.shop.rng import stream

MOST_ORDERS = 100_000
CANCELLED_SHARE = 0.03
"""Cancelled orders, as a share of the new ones; one at least."""


@dataclass
class TickSummary:
    """What one tick changed: counts of rows, and the revenue of the new orders in the shop's currency.

    ``orders_cancelled`` counts earlier orders; their revenue is ``revenue_cancelled``.
    """

    seed: int
    orders_placed: int = 0
    order_items: int = 0
    revenue_placed: Decimal = field(default_factory=lambda: Decimal("0.00"))
    payments: int = 0
    shipments: int = 0
    orders_paid: int = 0
    orders_shipped: int = 0
    orders_delivered: int = 0
    orders_cancelled: int = 0
    revenue_cancelled: Decimal = field(default_factory=lambda: Decimal("0.00"))
    prices_changed: int = 0
    customers_added: int = 0
    customers_changed: int = 0
    customers_erased: int = 0
    inventory_changed: int = 0
    reviews: int = 0
    clickstream_events: int = 0

    def add(self, act: Act) -> None:
        """Count what one act did."""
        for name, count in act.items():
            setattr(self, name, getattr(self, name) + count)


def tick(connection: Connection[Any], orders: int = 100, seed: int | None = None) -> TickSummary:
    """Let the shop live through ``orders`` new orders and what else happens meanwhile.

    Orders that were open before are advanced by one state at most; new ones are left as they are placed.

    Args:
        connection: to a database that `load` has filled; its current transaction is committed.
        orders: new orders, from 1 to 100,000.
        seed: of every choice; drawn when not given. The same seed on the same shop makes the same changes, but for
            the instants.

    Raises:
        LakeError: when an argument is out of range.
        SourceError: when the database refuses us or was not loaded.
        ServiceError: when a load or another tick is at work.
    """
    if not 1 <= orders <= MOST_ORDERS:
        raise LakeError(f"{orders} orders is not a number of new orders", f"give a number from 1 to {MOST_ORDERS:,}")
    if seed is None:
        seed = secrets.randbelow(2**31)
    if seed < 0:
        raise LakeError(f"seed {seed} is negative", "give a whole number from 0 on")
    summary = TickSummary(seed)
    with speaking(connection), exclusive(connection):
        if not (marker(connection) or "").startswith(LOADED):
            raise SourceError(
                f"the shop on {connection.host}:{connection.port} has not been loaded", "run `lake shop load` first"
            )
        connection.commit()
        _live(connection, orders, seed, summary)
    return summary


def _live(connection: Connection[Any], orders: int, seed: int, summary: TickSummary) -> None:
    """Run the acts one after the other, each in its own transaction."""
    random = stream(seed, "tick")

    def commit(act: Callable[..., Act], *arguments: Any) -> None:
        with connection.cursor() as cursor:
            summary.add(act(cursor, *arguments))
        connection.commit()

    # Choices are made before anything changes, so that no order is advanced twice and no new one is cancelled.
    with connection.cursor() as cursor:
        plan = _plan(cursor, orders, random)
    connection.commit()

    for order_id in plan.paid:
        commit(acts.capture_payment, order_id)
    for order_id in plan.shipped:
        commit(acts.ship, order_id)
    for order_id in plan.delivered:
        commit(acts.deliver, order_id)
    for order_id in plan.cancelled:
        commit(acts.cancel, order_id)

    newcomers = 1 + int(random.integers(2))
    customers = list(plan.customers)
    for _ in range(newcomers):
        with connection.cursor() as cursor:
            customers.append(acts.next_customer_id(cursor))
        commit(acts.add_customer, customers[-1], seed)
    for number in range(orders):
        # The newcomers came because they want something.
        customer = customers[-1 - number] if number < newcomers else int(random.choice(customers))
        commit(acts.place_order, customer, random)

    few = max(1, orders // 10)
    for product_id in plan.repriced:
        commit(acts.change_price, product_id, random)
    for product_id in plan.counted:
        commit(acts.count_stock, product_id, random)
    for customer_id in plan.moved:
        commit(acts.change_customer, customer_id, random)
    for _ in range(few):
        commit(acts.write_review, int(random.choice(plan.customers)), random)
    for _ in range(max(1, orders // 4)):
        commit(acts.browse, int(random.choice(plan.customers)) if random.random() < 0.6 else None, random)
    commit(acts.erase_customer, plan.erased)


@dataclass(frozen=True)
class _Plan:
    """Ids that a tick has chosen to work on."""

    customers: list[int]
    paid: list[int]
    shipped: list[int]
    delivered: list[int]
    cancelled: list[int]
    repriced: list[int]
    counted: list[int]
    moved: list[int]
    erased: int


def _plan(cursor: Cursor, orders: int, random: np.random.Generator) -> _Plan:
    def ids(query: str) -> list[int]:
        cursor.execute(query)
        return [int(row[0]) for row in cursor.fetchall()]

    def some(of: list[int], count: int) -> list[int]:
        return [int(chosen) for chosen in random.permutation(np.array(of, dtype=np.int64))[:count]]

    half, few = max(1, orders // 2), max(1, orders // 10)
    # By primary key: an index that answers in another order would make the same seed choose differently.
    paid = some(ids("SELECT order_id FROM orders WHERE status = 'placed' ORDER BY order_id"), half)
    to_ship = some(ids("SELECT order_id FROM orders WHERE status = 'paid' ORDER BY order_id"), 2 * half)
    under_way = ids(
        "SELECT orders.order_id FROM orders JOIN shipments USING (order_id) "
        "WHERE orders.status = 'shipped' AND shipments.status = 'shipped' ORDER BY orders.order_id"
    )
    # A web order before it ships, or a purchase that is brought back to the store.
    brought_back = ids(
        "SELECT order_id FROM orders WHERE channel = 'store' AND status = 'delivered' "
        "ORDER BY ordered_at DESC, order_id DESC LIMIT 2000"
    )
    count = max(1, round(orders * CANCELLED_SHARE))
    from_web = to_ship[half:][: count // 2]
    customers = ids("SELECT customer_id FROM customers ORDER BY customer_id")
    if len(customers) < 3:
        raise SourceError(f"the shop has {len(customers)} customers, too few to live", "load it anew: --replace")
    # The newest customer stays: the next one's number follows the highest.
    erased = some(customers[:-1], 1)[0]
    customers.remove(erased)
    products = ids("SELECT product_id FROM products WHERE is_active = 1 ORDER BY product_id")
    return _Plan(
        customers=customers,
        paid=paid,
        shipped=to_ship[:half],
        delivered=some(under_way, half),
        cancelled=from_web + some(brought_back, count - len(from_web)),
        repriced=some(products, few),
        counted=some(products, few),
        moved=some(customers, max(1, orders // 20)),
        erased=erased,
    )
