"""A small shop that lives for a year: eleven tables, and a random stream of what happens in them, the same for a seed.

The stream knows the shop only as it is at the moment: what was renamed has its new name here, and what was dropped is
not written to any more. Sizes stay about what they were, so that nothing but the lake itself could grow.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Protocol

import pymysql

from tests.year.acts import ACTS, TIDY_UPS, Writer, new_coupon, new_customer, new_order, new_review, new_visit

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
                new_customer(writer)
            for number in range(1, 31):
                writer.do(
                    "products",
                    "INSERT INTO products (sku, category_id, price, stock, weight, note) VALUES (%s,%s,%s,%s,%s,%s)",
                    f"SKU-{number:04}", rng.randint(1, 5), rng.randint(100, 9999) / 100, 10, rng.random() * 9, None,
                )  # fmt: skip
            for _ in range(100):
                new_order(writer)
            for act in (new_coupon, new_review, new_visit):
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
            new_order(writer)
            self._act(writer, 3)
            return writer.touched

    def _act(self, writer: Writer, times: int) -> None:
        for act in writer.rng.choices(ACTS, k=times):
            act(writer)
        for tidy in TIDY_UPS:
            tidy(writer)

    @contextmanager
    def _writer(self, day: float) -> Iterator[Writer]:
        with self.connected() as connection, connection.cursor() as cursor:
            yield Writer(self, cursor, Random(f"{self.seed}:{day}"), FIRST_DAY + timedelta(days=day))
        if self.is_replica_read:
            self.settle()
