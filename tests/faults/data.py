"""Tables of the source that the faults strike, and changes to them."""

from __future__ import annotations

from tests.faults.case import Case
from tests.numbers import numbers

ROWS = 20_000
"""Of the table with a cursor: about eight chunks of `drive.CHUNK_BYTES`."""

_ITEMS = """
CREATE TABLE items (
  id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT,
  label VARCHAR(120) NOT NULL,
  price DECIMAL(12,2) NOT NULL,
  stock INT UNSIGNED,
  note TEXT,
  seen DATETIME(6),
  updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)
)"""
_PLACES = """
CREATE TABLE places (
  country CHAR(2) NOT NULL, code INT NOT NULL, name VARCHAR(50), PRIMARY KEY (country, code)
)"""


def fill(case: Case, rows: int = ROWS, bytes_per_row: int = 60, increment: str = "auto") -> None:
    """A table with a cursor, and a small one without.

    Args:
        increment: the way in which changes of the first are found.
        bytes_per_row: of the longest column.
    """
    case.sql(
        _ITEMS,
        "INSERT INTO items (label, price, stock, note, seen, updated_at) SELECT CONCAT('Ware ', seq, ' 🧺'), seq / 7,"
        f" IF(seq % 11, seq, NULL), IF(seq % 5, RPAD(SHA2(seq, 256), {bytes_per_row}, SHA2(seq + 1, 256)), NULL),"
        " '2026-01-01' + INTERVAL seq * 1000003 MICROSECOND, '2026-02-01' + INTERVAL seq SECOND"
        f" FROM {numbers(1, rows)}",
        _PLACES,
        f"INSERT INTO places SELECT IF(seq % 2, 'DE', 'FR'), seq, CONCAT('Ort ', seq) FROM {numbers(1, 50)}",
        "ANALYZE TABLE items, places",
    )
    case.add("items", increment=increment)
    case.add("places")


def change(case: Case) -> None:
    """Delete, update and insert, in both tables."""
    case.sql(
        "DELETE FROM items WHERE id % 10 = 3",
        "UPDATE items SET price = price + 1, note = 'changed' WHERE id % 10 = 4",
        f"INSERT INTO items (label, price) SELECT CONCAT('new ', seq), 1 FROM {numbers(1, 500)}",
        "DELETE FROM places WHERE code % 10 = 3",
        "UPDATE places SET name = 'anders' WHERE code % 10 = 4",
    )
