"""What can happen in the shop, each as the statements of one transaction, answering how many rows of what changed."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
from pymysql.cursors import Cursor

from lake.errors import SourceError
from lake.shop import visits
from lake.shop.money import FAILED_TRY_SHARE, FAILURE_SHARES, FAILURES, REASON_SHARES, REASONS
from lake.shop.orders import CARRIERS, WEB_SHARE
from lake.shop.people import Inventor
from lake.shop.reviews import ENDINGS, OPENINGS, TITLES

Act = dict[str, Any]
"""Names of `TickSummary` and what to add to them."""

MOST_ITEMS = 10
TRACKED_SHARE = 0.6
"""Of the web orders, those whose way through the shop is seen."""


def next_customer_id(cursor: Cursor) -> int:
    """The number of the customer who comes next."""
    cursor.execute("SELECT MAX(customer_id) + 1 FROM customers")
    return int(_one(cursor)[0])


def add_customer(cursor: Cursor, customer_id: int, seed: int) -> Act:
    """Somebody signs up."""
    person = {"customer_id": customer_id, **Inventor(seed, f"tick.customer.{customer_id}").person(customer_id)}
    columns = ", ".join(person)
    places = ", ".join(["%s"] * len(person))
    cursor.execute(f"INSERT INTO customers ({columns}, created_at) VALUES ({places}, NOW(6))", tuple(person.values()))
    return {"customers_added": 1}


def place_order(cursor: Cursor, customer_id: int, random: np.random.Generator) -> Act:
    """An order at list price. In a store it is paid and handed over at once; on the web it waits."""
    is_web = bool(random.random() < WEB_SHARE)
    basket = {product: int(random.choice([1, 1, 1, 2, 3])) for product in _popular_products(cursor, random)}
    cursor.execute(
        "SELECT product_id, list_price, unit_cost FROM products "
        f"WHERE product_id IN ({_places(basket)}) ORDER BY product_id",
        tuple(basket),
    )
    goods = cursor.fetchall()
    prices = {int(product): price for product, price, _ in goods}
    costs = {int(product): cost for product, _, cost in goods}
    total = sum((prices[product] * quantity for product, quantity in basket.items()), Decimal(0))

    cursor.execute("SELECT MAX(order_id) + 1 FROM orders")
    order_id = int(_one(cursor)[0])
    cursor.execute(
        "INSERT INTO orders (order_id, customer_id, store_id, status, channel, currency, total_amount, ordered_at,"
        " created_at) VALUES (%s, %s, %s, %s, %s, 'USD', %s, NOW(6), NOW(6))",
        (
            order_id,
            customer_id,
            _store(cursor, random),
            "placed" if is_web else "delivered",
            "web" if is_web else "store",
            total,
        ),
    )
    cursor.executemany(
        "INSERT INTO order_items (order_id, product_id, quantity, sales_value, retail_discount, coupon_discount,"
        " coupon_match_discount, unit_cost, created_at) VALUES (%s, %s, %s, %s, 0, 0, 0, %s, NOW(6))",
        [
            (order_id, product, quantity, prices[product] * quantity, costs[product])
            for product, quantity in basket.items()
        ],
    )
    method = str(random.choice(["card", "paypal", "voucher"] if is_web else ["card", "cash", "voucher"]))
    fails = is_web and random.random() < FAILED_TRY_SHARE
    if fails:
        pay(cursor, order_id, method, total, "failed", str(random.choice(FAILURES, p=FAILURE_SHARES)))
    pay(cursor, order_id, method, total, "authorised" if is_web else "captured")
    for product, quantity in basket.items():
        cursor.execute(
            "UPDATE inventory SET quantity_on_hand = GREATEST(quantity_on_hand - %s, 0) WHERE product_id = %s",
            (quantity, product),
        )
    done: Act = {"orders_placed": 1, "order_items": len(basket), "revenue_placed": total}
    done |= {"payments": 1 + fails, "payments_failed": int(fails), "inventory_changed": len(basket)}
    if is_web:
        cursor.execute(
            "INSERT INTO shipments (order_id, carrier, status, promised_at, created_at) "
            "VALUES (%s, %s, 'pending', NOW(6) + INTERVAL %s HOUR, NOW(6))",
            (order_id, str(random.choice(CARRIERS)), int(random.integers(96, 144))),
        )
        done["shipments"] = 1
        if random.random() < TRACKED_SHARE:
            done["clickstream_events"] = visits.with_order(cursor, customer_id, order_id, list(basket), random)
    return done


def pay(cursor: Cursor, order_id: int, method: str, amount: Decimal, status: str, failure: str | None = None) -> None:
    """One try to pay an order, and how it ended."""
    cursor.execute(
        "INSERT INTO payments (order_id, method, status, failure, amount, paid_at, created_at) "
        "VALUES (%s, %s, %s, %s, %s, NOW(6), NOW(6))",
        (order_id, method, status, failure, amount),
    )


def capture_payment(cursor: Cursor, order_id: int) -> Act:
    """A placed order is paid."""
    cursor.execute("UPDATE orders SET status = 'paid' WHERE order_id = %s", (order_id,))
    cursor.execute(
        "UPDATE payments SET status = 'captured', paid_at = NOW(6) WHERE order_id = %s AND status = 'authorised'",
        (order_id,),
    )
    return {"orders_paid": 1}


def ship(cursor: Cursor, order_id: int) -> Act:
    """A paid order leaves the house."""
    cursor.execute("UPDATE orders SET status = 'shipped' WHERE order_id = %s", (order_id,))
    cursor.execute("UPDATE shipments SET status = 'shipped', shipped_at = NOW(6) WHERE order_id = %s", (order_id,))
    return {"orders_shipped": 1}


def deliver(cursor: Cursor, order_id: int) -> Act:
    """A parcel arrives."""
    cursor.execute("UPDATE orders SET status = 'delivered' WHERE order_id = %s", (order_id,))
    cursor.execute("UPDATE shipments SET status = 'delivered', delivered_at = NOW(6) WHERE order_id = %s", (order_id,))
    return {"orders_delivered": 1}


def cancel(cursor: Cursor, order_id: int) -> Act:
    """An order is taken back: the money returns, and a parcel that has not left is deleted."""
    cursor.execute("SELECT SUM(sales_value) FROM order_items WHERE order_id = %s", (order_id,))
    amount = _one(cursor)[0] or Decimal(0)
    cursor.execute("UPDATE orders SET status = 'cancelled', cancelled_at = NOW(6) WHERE order_id = %s", (order_id,))
    cursor.execute(
        "UPDATE payments SET status = 'refunded' WHERE order_id = %s AND status IN ('authorised', 'captured')",
        (order_id,),
    )
    cursor.execute("DELETE FROM shipments WHERE order_id = %s AND status = 'pending'", (order_id,))
    return {"orders_cancelled": 1, "revenue_cancelled": amount}


def take_back(cursor: Cursor, order_id: int, channel: str, random: np.random.Generator) -> Act:
    """A line of a delivered order comes back, and its money goes; an order of which nothing is left does nothing."""
    cursor.execute(
        "SELECT order_item_id, quantity, sales_value FROM order_items WHERE order_id = %s AND sales_value > 0"
        " AND order_item_id NOT IN (SELECT order_item_id FROM refunds WHERE order_id = %s) ORDER BY order_item_id",
        (order_id, order_id),
    )
    lines = cursor.fetchall()
    if not lines:
        return {}
    item, quantity, value = lines[int(random.integers(len(lines)))]
    cursor.execute(
        "INSERT INTO refunds (order_id, order_item_id, quantity, amount, reason, refunded_at, created_at) "
        "VALUES (%s, %s, %s, %s, %s, NOW(6), NOW(6))",
        (order_id, item, quantity, value, str(random.choice(REASONS, p=REASON_SHARES[channel]))),
    )
    return {"refunds": 1, "revenue_refunded": value}


def change_price(cursor: Cursor, product_id: int, random: np.random.Generator) -> Act:
    """A product costs up to a tenth less or 15 % more than before, and a cent at least."""
    cursor.execute("SELECT list_price FROM products WHERE product_id = %s FOR UPDATE", (product_id,))
    before: Decimal = _one(cursor)[0]
    factor = Decimal(int(random.integers(900, 1151))) / 1000
    after = (before * factor).quantize(Decimal("0.01"), ROUND_HALF_UP)
    if after in (before, Decimal(0)):
        after = before + Decimal("0.01")
    cursor.execute("UPDATE products SET list_price = %s WHERE product_id = %s", (after, product_id))
    return {"prices_changed": 1}


def count_stock(cursor: Cursor, product_id: int, random: np.random.Generator) -> Act:
    """Somebody counts a shelf, and fills it up where it has run low."""
    cursor.execute(
        "UPDATE inventory SET counted_at = NOW(6), quantity_on_hand ="
        " IF(quantity_on_hand < reorder_level, 3 * reorder_level, quantity_on_hand + %s) WHERE product_id = %s",
        (int(random.integers(0, 3)), product_id),
    )
    return {"inventory_changed": cursor.rowcount}


def change_customer(cursor: Cursor, customer_id: int, random: np.random.Generator) -> Act:
    """A customer moves house, or changes the mail address."""
    cursor.execute("SELECT first_name, last_name, country FROM customers WHERE customer_id = %s", (customer_id,))
    first_name, last_name, country = _one(cursor)
    inventor = Inventor(int(random.integers(2**31)), f"tick.change.{customer_id}")
    if random.random() < 0.5:
        mail = inventor.email(first_name, last_name, customer_id, change=int(random.integers(1, 10**9)))
        cursor.execute("UPDATE customers SET email = %s WHERE customer_id = %s", (mail, customer_id))
    else:
        home = inventor.address(country)
        cursor.execute(
            "UPDATE customers SET street = %s, city = %s, postcode = %s WHERE customer_id = %s",
            (home["street"], home["city"], home["postcode"], customer_id),
        )
    return {"customers_changed": 1}


def write_review(cursor: Cursor, customer_id: int, random: np.random.Generator) -> Act:
    """A customer reviews a product."""
    rating = int(random.integers(1, 6))
    body = None if random.random() < 0.25 else str(random.choice(OPENINGS[rating])) + str(random.choice(ENDINGS))
    cursor.execute(
        "INSERT INTO reviews (product_id, customer_id, rating, title, body, created_at) "
        "VALUES (%s, %s, %s, %s, %s, NOW(6))",
        (_popular_products(cursor, random)[0], customer_id, rating, str(random.choice(TITLES[rating])), body),
    )
    return {"reviews": 1}


def browse(cursor: Cursor, customer_id: int | None, random: np.random.Generator) -> Act:
    """A web session without an order; nobody is logged in where ``customer_id`` is None."""
    products = _popular_products(cursor, random)[:4]
    return {"clickstream_events": visits.without_order(cursor, customer_id, products, random)}


def erase_customer(cursor: Cursor, customer_id: int) -> Act:
    """A customer is forgotten: what was bought, said and clicked stays, without saying by whom."""
    for table in ("orders", "reviews", "clickstream", "coupon_redemptions"):
        cursor.execute(f"UPDATE {table} SET customer_id = NULL WHERE customer_id = %s", (customer_id,))
    cursor.execute("DELETE FROM campaign_customers WHERE customer_id = %s", (customer_id,))
    cursor.execute("DELETE FROM customers WHERE customer_id = %s", (customer_id,))
    return {"customers_erased": cursor.rowcount}


def _popular_products(cursor: Cursor, random: np.random.Generator) -> list[int]:
    """One to ten products that are for sale, drawn as they sell: by way of earlier order lines."""
    count = 1 + int(random.integers(MOST_ITEMS))
    cursor.execute("SELECT MIN(order_item_id), MAX(order_item_id) FROM order_items")
    lowest, highest = _one(cursor)
    # Some lines name products that are no longer sold, and ids may have gaps; a second draw is rarely needed.
    for _ in range(100):
        lines = random.integers(lowest, highest + 1, size=2 * count).tolist()
        # Below ten cents are goods sold by weight or volume, whose quantities would look odd here.
        cursor.execute(
            "SELECT DISTINCT product_id FROM order_items JOIN products USING (product_id) "
            f"WHERE order_item_id IN ({_places(lines)}) AND is_active = 1 AND list_price >= 0.10 ORDER BY product_id",
            tuple(lines),
        )
        found = [int(row[0]) for row in cursor.fetchall()]
        if found:
            return [int(product) for product in random.permutation(found)[:count]]
    raise SourceError(
        "the shop has no products for sale that anybody bought", "load it anew: `lake shop load --replace`"
    )


def _store(cursor: Cursor, random: np.random.Generator) -> int:
    cursor.execute("SELECT store_id FROM stores ORDER BY store_id LIMIT 1 OFFSET %s", (_offset(cursor, random),))
    return int(_one(cursor)[0])


def _offset(cursor: Cursor, random: np.random.Generator) -> int:
    cursor.execute("SELECT COUNT(*) FROM stores")
    return int(random.integers(int(_one(cursor)[0])))


def _places(values: Any) -> str:
    return ", ".join(["%s"] * len(values))


def _one(cursor: Cursor) -> tuple[Any, ...]:
    row = cursor.fetchone()
    assert row is not None, "the query always answers one row"
    return row
