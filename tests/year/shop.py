"""A small shop that lives for a year: eleven tables, and a random stream of what happens in them, the same for a seed.

The stream knows the shop only as it is at the moment: what was renamed has its new name here, and what was dropped is
not written to any more. Sizes stay about what they were, so that nothing but the lake itself could grow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Protocol

import pymysql

NOW6 = "CURRENT_TIMESTAMP(6)"
MOVES = f"TIMESTAMP(6) NOT NULL DEFAULT {NOW6} ON UPDATE {NOW6}"

TABLES = {
    "countries": "code CHAR(2) PRIMARY KEY, name VARCHAR(40) NOT NULL",
    "suppliers": "id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) NOT NULL, country CHAR(2)",
    "categories": "id SMALLINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) NOT NULL, parent SMALLINT",
    "customers": "id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, email VARCHAR(120) NOT NULL UNIQUE, name VARCHAR(80),"
    f" country CHAR(2), credit DECIMAL(12,2) NOT NULL, born DATE, updated_at {MOVES}",
    "products": "id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, sku VARCHAR(20) NOT NULL, category_id SMALLINT UNSIGNED,"
    " price DECIMAL(10,2) NOT NULL, stock INT NOT NULL, weight DOUBLE, note TEXT,"
    " FOREIGN KEY (category_id) REFERENCES categories (id)",
    "orders": "id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, customer_id INT UNSIGNED NOT NULL,"
    " status ENUM('new','paid','shipped') NOT NULL, total DECIMAL(12,2) NOT NULL, placed_at DATETIME(3) NOT NULL,"
    f" updated_at {MOVES}, FOREIGN KEY (customer_id) REFERENCES customers (id)",
    "order_items": "order_id BIGINT UNSIGNED, line TINYINT UNSIGNED, product_id INT UNSIGNED NOT NULL,"
    " quantity SMALLINT NOT NULL, price DECIMAL(10,2) NOT NULL, PRIMARY KEY (order_id, line),"
    " FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE,"
    " FOREIGN KEY (product_id) REFERENCES products (id)",
    "payments": "id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, order_id BIGINT UNSIGNED NOT NULL, method VARCHAR(20),"
    " reference VARCHAR(40), amount DECIMAL(12,2) NOT NULL, paid_at DATETIME, due DATE,"
    " FOREIGN KEY (order_id) REFERENCES orders (id)",
    "coupons": "code VARCHAR(20) PRIMARY KEY, percent DECIMAL(5,2) NOT NULL, uses INT NOT NULL, valid_from DATE",
    "reviews": "id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, product_id INT UNSIGNED NOT NULL, stars TINYINT NOT NULL,"
    " body TEXT, written_at DATETIME",
    "visits": "at DATETIME, page VARCHAR(80), visitor INT",
}
"""Name -> columns. ``visits`` has no key; ``order_items`` has a foreign key that deletes."""

QUIET_SHARE = 0.2
"""Of the days: nothing happens."""

MOST_ORDERS, MOST_REVIEWS, MOST_VISITS, MOST_COUPONS = 120, 60, 40, 30

FIRST_DAY = datetime(2025, 1, 1, 9)
"""What the shop writes as the time of its first day."""


class Server(Protocol):
    """A primary with its replica, as the suite's fixture ``server`` gives it."""

    kind: str
    host: str
    port: int
    user: str
    password: str
    replica_port: int | None


@dataclass
class Shop:
    """The shop's database, as its administrator and its application see it.

    Attributes:
        server: whose primary takes the writes.
        is_replica_read: whether the lake reads the replica; then what was written is waited for there.
        names: tables as they are called at the moment, by the name that they had first; those that are gone are not
            among them.
        note: name of the products' column that is renamed in the course of the year.
        statuses: of orders.
        most_stock: of a product.
    """

    server: Server
    database: str
    seed: int
    is_replica_read: bool = False
    names: dict[str, str] = field(default_factory=lambda: {name: name for name in TABLES})
    note: str = "note"
    statuses: tuple[str, ...] = ("new", "paid", "shipped")
    most_stock: int = 1000

    # -- its servers
    @contextmanager
    def connected(self, replica: bool = False) -> Iterator[pymysql.connections.Connection[Any]]:
        """The administrator's connection to the primary or the replica, in UTC, without strictness."""
        port = self.server.replica_port if replica else self.server.port
        with closing(
            pymysql.connect(
                host=self.server.host,
                port=port or 0,
                user=self.server.user,
                password=self.server.password,
                database=self.database,
                charset="utf8mb4",
                autocommit=True,
                init_command="SET time_zone = '+00:00', sql_mode = ''",
                connect_timeout=10,
                read_timeout=120,
            )
        ) as connection:
            yield connection

    @property
    def read_port(self) -> int:
        """Port of the server that the lake reads."""
        port = self.server.replica_port if self.is_replica_read else self.server.port
        assert port
        return port

    def do(self, *statements: str) -> None:
        """Run statements on the primary, each committed."""
        with self.connected() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def behind_the_log(self, *statements: str) -> None:
        """Run statements on primary and replica as a restore does: no binlog tells of them."""
        self.settle()
        for replica in (False, True):
            with self.connected(replica) as connection, connection.cursor() as cursor:
                cursor.execute("SET SESSION sql_log_bin = 0")
                for statement in statements:
                    cursor.execute(statement)

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """What the server answers that the lake reads."""
        with self.connected(self.is_replica_read) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def settle(self) -> None:
        """Wait until the replica has all that was written."""
        is_mariadb = self.server.kind == "mariadb"
        place = "@@GLOBAL.gtid_binlog_pos" if is_mariadb else "@@GLOBAL.gtid_executed"
        wait = "MASTER_GTID_WAIT" if is_mariadb else "WAIT_FOR_EXECUTED_GTID_SET"
        with self.connected() as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT {place}")
            ((reached,),) = cursor.fetchall()
        with self.connected(replica=True) as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT {wait}(%s, 60)", (reached,))
            assert cursor.fetchall() == ((0,),), f"the replica has not come to {reached} within a minute"

    # -- its life
    def build(self) -> None:
        """Make the tables, and fill them as on the first day."""
        self.do(*(f"CREATE TABLE {name} ({columns})" for name, columns in TABLES.items()))
        with self._writer(-1) as writer:
            rng = writer.rng
            for code in ("DE", "FR", "IT", "NL", "PL", "SE"):
                writer.do("countries", "INSERT INTO countries VALUES (%s, %s)", code, f"Country {code}")
            for number in range(1, 9):
                writer.do("suppliers", "INSERT INTO suppliers (name, country) VALUES (%s, 'DE')", f"Supplier {number}")
            for number in range(1, 6):
                writer.do("categories", "INSERT INTO categories (name) VALUES (%s)", f"Category {number}")
            for _ in range(40):
                _new_customer(writer)
            for number in range(1, 31):
                writer.do(
                    "products",
                    "INSERT INTO products (sku, category_id, price, stock, weight, note) VALUES (%s,%s,%s,%s,%s,%s)",
                    f"SKU-{number:04}", rng.randint(1, 5), rng.randint(100, 9999) / 100, 10, rng.random() * 9, None,
                )  # fmt: skip
            for _ in range(100):
                _new_order(writer)
            for act in (_new_coupon, _new_review, _new_visit):
                for _ in range(20):
                    act(writer)

    def live(self, day: float) -> set[str]:
        """Let a day happen; the tables, by their first names, in which rows were written. None on a quiet day."""
        with self._writer(day) as writer:
            if writer.rng.random() < QUIET_SHARE:
                return set()
            self._act(writer, writer.rng.randint(1, 6))
            return writer.touched

    def be_busy(self, day: float) -> set[str]:
        """Let something happen that day, whatever the dice say."""
        with self._writer(day) as writer:
            _new_order(writer)
            self._act(writer, 3)
            return writer.touched

    def _act(self, writer: Writer, times: int) -> None:
        for act in writer.rng.choices(ACTS, k=times):
            act(writer)
        for tidy in (_forget_orders, _forget_reviews, _forget_visits, _forget_coupons):
            tidy(writer)

    @contextmanager
    def _writer(self, day: float) -> Iterator[Writer]:
        with self.connected() as connection, connection.cursor() as cursor:
            yield Writer(self, cursor, Random(f"{self.seed}:{day}"), FIRST_DAY + timedelta(days=day))
        if self.is_replica_read:
            self.settle()


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


def _new_customer(do: Writer) -> None:
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
        _new_customer(do)


def _new_order(do: Writer) -> None:
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


def _new_coupon(do: Writer) -> None:
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


def _new_review(do: Writer) -> None:
    do.do(
        "reviews", "INSERT INTO reviews (product_id, stars, body, written_at) VALUES (%s, %s, %s, %s)",
        do.any("products"), do.rng.randint(1, 5), do.word() * 20, do.now,
    )  # fmt: skip


def _change_review(do: Writer) -> None:
    do.do("reviews", "UPDATE reviews SET stars = 6 - stars, body = %s WHERE id = %s", do.word(), do.any("reviews"))


def _forget_reviews(do: Writer) -> None:
    while int(do.one("SELECT COUNT(*) FROM reviews")) > MOST_REVIEWS:
        do.do("reviews", "DELETE FROM reviews ORDER BY id LIMIT 1")


def _new_visit(do: Writer) -> None:
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
    _new_order, _new_order, _change_order, _change_order, _drop_order, _change_item, _move_item, _change_payment,
    _new_customer, _change_customer, _change_customer, _move_customer, _lose_customer, _change_product, _change_product,
    _change_supplier, _change_category, _new_coupon, _use_coupon, _rename_coupon, _new_review, _change_review,
    _new_visit, _new_wish,
)  # fmt: skip
"""What may happen; the more often a thing stands here, the more often it does."""
