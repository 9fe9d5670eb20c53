"""What may happen in the shop, each as the statements of its application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pymysql

if TYPE_CHECKING:
    from tests.year.shop import Shop

MOST_ORDERS, MOST_REVIEWS, MOST_VISITS, MOST_COUPONS = 120, 60, 40, 30


@dataclass
class Writer:
    """The application at work on one day."""

    shop: Shop
    cursor: pymysql.cursors.Cursor
    rng: Random
    now: datetime
    touched: set[str] = field(default_factory=set)

    def do(self, table: str, statement: str, *values: Any) -> None:
        """Write rows of a table; one that was not changed by it was not touched."""
        if self.cursor.execute(statement, values):
            self.touched.add(table)

    def one(self, statement: str, *values: Any) -> Any:
        """The first value that the primary answers; None for no row."""
        self.cursor.execute(statement, values)
        row = self.cursor.fetchone()
        return row[0] if row else None

    def any(self, table: str, key: str = "id") -> Any:
        """The key of some row."""
        self.cursor.execute(f"SELECT {key} FROM {table} ORDER BY {key}")
        return self.rng.choice(self.cursor.fetchall())[0]

    def money(self) -> str:
        """An amount."""
        return f"{self.rng.randint(1, 999_999) / 100:.2f}"

    def word(self) -> str:
        """Text that no other row has, with letters beyond ASCII."""
        return f"{self.rng.choice('äéßłŠ😀x')}{self.rng.getrandbits(40):x}"


def new_customer(do: Writer) -> None:
    do.do(
        "customers",
        "INSERT INTO customers (email, name, country, credit, born) VALUES (%s, %s, %s, %s, %s)",
        f"{do.rng.getrandbits(60):x}@example.com", do.word(), do.rng.choice(["DE", "FR", None]), do.money(),
        date(1950, 1, 1) + timedelta(days=do.rng.randint(0, 20_000)),
    )  # fmt: skip


def _change_customer(do: Writer) -> None:
    do.do(
        "customers", "UPDATE customers SET name = %s, credit = %s WHERE id = %s",
        do.word(), do.money(), do.any("customers"),
    )  # fmt: skip


def _move_customer(do: Writer) -> None:
    """Another key; only where no order holds it."""
    free = "SELECT MAX(c.id) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE o.id IS NULL"
    if customer := do.one(free):
        do.do("customers", "UPDATE customers SET id = %s WHERE id = %s", 10_000 + do.rng.getrandbits(20), customer)


def _lose_customer(do: Writer) -> None:
    free = "SELECT MIN(c.id) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE o.id IS NULL"
    if customer := do.one(free):
        do.do("customers", "DELETE FROM customers WHERE id = %s", customer)
        new_customer(do)


def new_order(do: Writer) -> None:
    do.do(
        "orders",
        "INSERT INTO orders (customer_id, status, total, placed_at) VALUES (%s, 'new', %s, %s)",
        do.any("customers"), do.money(), do.now + timedelta(milliseconds=do.rng.randint(0, 40_000_000)),
    )  # fmt: skip
    order = do.cursor.lastrowid
    for line in range(1, do.rng.randint(2, 5)):
        do.do(
            "order_items",
            "INSERT INTO order_items VALUES (%s, %s, %s, %s, %s)",
            order, line, do.any("products"), do.rng.randint(1, 9), do.money(),
        )  # fmt: skip
    do.do(
        "payments",
        "INSERT INTO payments (order_id, method, amount, paid_at, due) VALUES (%s, 'card', %s, %s, %s)",
        order, do.money(), do.now, do.now.date(),
    )  # fmt: skip


def _change_order(do: Writer) -> None:
    do.do(
        "orders", "UPDATE orders SET status = %s, total = %s WHERE id = %s",
        do.rng.choice(do.shop.statuses), do.money(), do.any("orders"),
    )  # fmt: skip


def _drop_order(do: Writer, order: Any = None) -> None:
    """With its payments; its items go with it by themselves."""
    order = order or do.any("orders")
    do.do("payments", "DELETE FROM payments WHERE order_id = %s", order)
    if do.one("SELECT COUNT(*) FROM order_items WHERE order_id = %s", order):
        do.touched.add("order_items")
    do.do("orders", "DELETE FROM orders WHERE id = %s", order)


def _forget_orders(do: Writer) -> None:
    while int(do.one("SELECT COUNT(*) FROM orders")) > MOST_ORDERS:
        _drop_order(do, do.one("SELECT MIN(id) FROM orders"))


def _change_item(do: Writer) -> None:
    do.do(
        "order_items", "UPDATE order_items SET quantity = quantity + 1, price = %s WHERE order_id = %s",
        do.money(), do.any("order_items", "order_id"),
    )  # fmt: skip


def _move_item(do: Writer) -> None:
    """Another part of a key of two columns."""
    order = do.any("order_items", "order_id")
    if do.one("SELECT MAX(line) FROM order_items WHERE order_id = %s", order) < 100:
        do.do("order_items", "UPDATE order_items SET line = line + 100 WHERE order_id = %s AND line = 1", order)


def _change_payment(do: Writer) -> None:
    do.do(
        "payments", "UPDATE payments SET method = %s, amount = %s WHERE id = %s",
        do.rng.choice(["card", "cash", None]), do.money(), do.any("payments"),
    )  # fmt: skip


def _change_product(do: Writer) -> None:
    do.do(
        "products", f"UPDATE products SET price = %s, stock = %s, weight = %s, {do.shop.note} = %s WHERE id = %s",
        do.money(), do.rng.randint(0, do.shop.most_stock), do.rng.random() * 9, do.word(), do.any("products"),
    )  # fmt: skip


def _change_supplier(do: Writer) -> None:
    table = do.shop.names["suppliers"]
    do.do("suppliers", f"UPDATE {table} SET name = %s WHERE id = %s", do.word(), do.any(table))


def _change_category(do: Writer) -> None:
    do.do("categories", "UPDATE categories SET name = %s WHERE id = %s", do.word(), do.any("categories"))


def new_coupon(do: Writer) -> None:
    do.do(
        "coupons", "INSERT INTO coupons VALUES (%s, %s, 0, %s)",
        f"{do.rng.getrandbits(40):X}-code", do.rng.randint(1, 9999) / 100, do.now.date(),
    )  # fmt: skip


def _use_coupon(do: Writer) -> None:
    do.do("coupons", "UPDATE coupons SET uses = uses + 1 WHERE code = %s", do.any("coupons", "code"))


def _rename_coupon(do: Writer) -> None:
    """Letters in another case: the same key to the collation, another one to the lake."""
    code = do.any("coupons", "code")
    do.do("coupons", "UPDATE coupons SET code = %s WHERE code = %s", code.swapcase(), code)


def _forget_coupons(do: Writer) -> None:
    while int(do.one("SELECT COUNT(*) FROM coupons")) > MOST_COUPONS:
        do.do("coupons", "DELETE FROM coupons WHERE code = %s", do.any("coupons", "code"))


def new_review(do: Writer) -> None:
    do.do(
        "reviews", "INSERT INTO reviews (product_id, stars, body, written_at) VALUES (%s, %s, %s, %s)",
        do.any("products"), do.rng.randint(1, 5), do.word() * 20, do.now,
    )  # fmt: skip


def _change_review(do: Writer) -> None:
    do.do("reviews", "UPDATE reviews SET stars = 6 - stars, body = %s WHERE id = %s", do.word(), do.any("reviews"))


def _forget_reviews(do: Writer) -> None:
    while int(do.one("SELECT COUNT(*) FROM reviews")) > MOST_REVIEWS:
        do.do("reviews", "DELETE FROM reviews ORDER BY id LIMIT 1")


def new_visit(do: Writer) -> None:
    if "visits" in do.shop.names:
        do.do("visits", "INSERT INTO visits VALUES (%s, '/', %s)", do.now, do.rng.randint(1, 5))


def _forget_visits(do: Writer) -> None:
    if "visits" in do.shop.names:
        while int(do.one("SELECT COUNT(*) FROM visits")) > MOST_VISITS:
            do.do("visits", "DELETE FROM visits ORDER BY at LIMIT 5")


def _new_wish(do: Writer) -> None:
    if "wishes" in do.shop.names:
        do.do("wishes", "INSERT INTO wishes (product_id, text) VALUES (%s, %s)", do.any("products"), do.word())


ACTS: tuple[Callable[[Writer], None], ...] = (
    new_order, new_order, _change_order, _change_order, _drop_order, _change_item, _move_item, _change_payment,
    new_customer, _change_customer, _change_customer, _move_customer, _lose_customer, _change_product, _change_product,
    _change_supplier, _change_category, new_coupon, _use_coupon, _rename_coupon, new_review, _change_review,
    new_visit, _new_wish,
)  # fmt: skip
"""What may happen; the more often a thing stands here, the more often it does."""

TIDY_UPS = (_forget_orders, _forget_reviews, _forget_visits, _forget_coupons)
"""What keeps the shop as large as it is, at the end of a day."""
