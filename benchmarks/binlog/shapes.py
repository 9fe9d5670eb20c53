"""What is written to be read again: the lines of orders, in events of one row each and of many."""

from __future__ import annotations

from benchmarks.servers import Server, numbers

TABLE = "lines_of_orders"
CREATE = f"""
CREATE TABLE {TABLE} (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, order_id BIGINT UNSIGNED NOT NULL, product_id INT NOT NULL,
  quantity SMALLINT NOT NULL, price DECIMAL(12,2) NOT NULL, discount DECIMAL(5,4), status ENUM('new','paid','sent'),
  note VARCHAR(200), code CHAR(12), ordered_at DATETIME(6), changed_at TIMESTAMP NULL, options JSON
)
"""
VALUES = (
    "{n}, {n} % 1000, {n} % 7 + 1, {n} % 10000 / 100, NULL, 'paid', CONCAT('line ', {n}), 'ABC-DEF', "
    "'2026-01-01 12:00:00.123456', '2026-01-01 12:00:00', '{{\"gift\": true}}'"
)
COLUMNS = "order_id, product_id, quantity, price, discount, status, note, code, ordered_at, changed_at, options"


def make(server: Server) -> None:
    """The empty table."""
    server.do(
        CREATE,
        "CREATE PROCEDURE one_by_one(amount INT) BEGIN DECLARE n INT DEFAULT 0; WHILE n < amount DO "
        f"INSERT INTO {TABLE} ({COLUMNS}) VALUES ({VALUES.format(n='n')}); SET n = n + 1; END WHILE; END",
    )


def one_row_events(server: Server, rows: int) -> None:
    """A transaction a row."""
    server.do(f"CALL one_by_one({rows})")


def many_row_events(server: Server, rows: int) -> None:
    """Statements of 100,000 rows."""
    for _ in range(rows // 100_000):
        server.do(f"INSERT INTO {TABLE} ({COLUMNS}) SELECT {VALUES.format(n='n')} FROM {numbers(places=5)}")
