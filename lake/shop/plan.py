"""What a stretch of time brings the shop: chosen before anything changes, then done act by act."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from pymysql.cursors import Cursor

from lake.errors import SourceError
from lake.shop import acts
from lake.shop.acts import Act
from lake.shop.clicks import LOGGED_IN_SHARE

CANCELLED_SHARE = 0.03
"""Cancelled orders, as a share of the new ones; one at least."""

RETURNED_SHARE = 0.02
"""Orders of which something comes back, as a share of the new ones; one at least."""

Doing = Callable[[Cursor], Act]
"""An act that only needs a cursor to happen: one transaction."""


@dataclass(frozen=True)
class Plan:
    """Ids that were chosen to be worked on. No order is in two lists, and none of them is new."""

    customers: list[int]
    paid: list[int]
    shipped: list[int]
    delivered: list[int]
    cancelled: list[int]
    returned: list[int]
    repriced: list[int]
    counted: list[int]
    moved: list[int]
    erased: int


def choose(cursor: Cursor, orders: int, random: np.random.Generator) -> Plan:
    """Choose what happens while ``orders`` new orders are placed.

    Raises:
        SourceError: the shop has too few customers.
    """

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
    cancelled = from_web + some(brought_back, count - len(from_web))
    # The last parcels that arrived.
    arrived = ids(
        "SELECT order_id FROM orders WHERE channel = 'web' AND status = 'delivered' "
        "ORDER BY ordered_at DESC, order_id DESC LIMIT 2000"
    )
    customers = ids("SELECT customer_id FROM customers ORDER BY customer_id")
    if len(customers) < 3:
        raise SourceError(f"the shop has {len(customers)} customers, too few to live", "load it anew: --replace")
    # The newest customer stays: the next one's number follows the highest.
    erased = some(customers[:-1], 1)[0]
    customers.remove(erased)
    products = ids("SELECT product_id FROM products WHERE is_active = 1 ORDER BY product_id")
    return Plan(
        customers=customers,
        paid=paid,
        shipped=to_ship[:half],
        delivered=some(under_way, half),
        cancelled=cancelled,
        returned=some(arrived, max(1, round(orders * RETURNED_SHARE))),
        repriced=some(products, few),
        counted=some(products, few),
        moved=some(customers, max(1, orders // 20)),
        erased=erased,
    )


def acts_of(plan: Plan, orders: int, seed: int, random: np.random.Generator) -> list[list[Doing]]:
    """Everything that the plan makes happen, kind by kind.

    Acts of different kinds may happen in any order, those of one kind in theirs. What an act itself chooses it draws
    from ``random`` when it happens.
    """
    customers, newcomers = list(plan.customers), list[int]()

    def sign_up(cursor: Cursor) -> Act:
        customer_id = acts.next_customer_id(cursor)
        act = acts.add_customer(cursor, customer_id, seed)
        customers.append(customer_id)
        newcomers.append(customer_id)
        return act

    def order(cursor: Cursor) -> Act:
        # The newcomers came because they want something.
        customer = newcomers.pop() if newcomers else int(random.choice(customers))
        return acts.place_order(cursor, customer, random)

    def review(cursor: Cursor) -> Act:
        return acts.write_review(cursor, int(random.choice(plan.customers)), random)

    def browse(cursor: Cursor) -> Act:
        visitor = int(random.choice(plan.customers)) if random.random() < LOGGED_IN_SHARE else None
        return acts.browse(cursor, visitor, random)

    return [
        [_on(acts.capture_payment, order_id) for order_id in plan.paid],
        [_on(acts.ship, order_id) for order_id in plan.shipped],
        [_on(acts.deliver, order_id) for order_id in plan.delivered],
        [_on(acts.cancel, order_id) for order_id in plan.cancelled],
        [_on(acts.take_back, order_id, "web", random) for order_id in plan.returned],
        [sign_up] * (1 + int(random.integers(2))),
        [order] * orders,
        [_on(acts.change_price, product_id, random) for product_id in plan.repriced],
        [_on(acts.count_stock, product_id, random) for product_id in plan.counted],
        [_on(acts.change_customer, customer_id, random) for customer_id in plan.moved],
        [review] * max(1, orders // 10),
        [browse] * max(1, orders // 4),
        [_on(acts.erase_customer, plan.erased)],
    ]


def _on(act: Callable[..., Act], *arguments: Any) -> Doing:
    return lambda cursor: act(cursor, *arguments)
