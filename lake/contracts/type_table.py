"""The table of all types in `docs/types.md`: what MySQL has, what each engine makes of it, what cannot be held.

`python -m lake.contracts.type_table` prints it. The tests compare it with the document, with `types.parse`, and with
the files and tables that the platform writes.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from lake.contracts import types


@dataclass(frozen=True)
class Line:
    """Types that become one type.

    Attributes:
        shown: how the document calls them.
        examples: them all, as the server writes them; ``as …`` behind one stands for the contract's ``as``.
        held: how a value is held.
        unreadable: values that cannot be, and go by the column's ``unreadable``.
    """

    shown: str
    examples: tuple[str, ...]
    held: str
    unreadable: str = "none"

    @property
    def parsed(self) -> list[types.ColumnType]:
        """The examples' types."""
        pairs = [example.partition(" as ") for example in self.examples]
        return [types.parse(mysql, as_type or None) for mysql, _, as_type in pairs]


LINES = (
    Line(
        "TINYINT, SMALLINT, MEDIUMINT, signed and UNSIGNED; INT",
        (
            "tinyint(4)", "tinyint(1)", "tinyint unsigned", "smallint", "smallint unsigned", "mediumint",
            "mediumint unsigned", "int(11)", "integer",
        ),
        "the number; TINYINT(1) too, unless the contract says `as: boolean`; ZEROFILL's zeros are only how it is shown",
    ),
    Line("INT UNSIGNED; BIGINT", ("int unsigned", "integer unsigned", "bigint"), "the number"),
    Line("BIGINT UNSIGNED; BIT(64)", ("bigint(20) unsigned", "bit(64)"), "the number"),
    Line(
        "BIGINT UNSIGNED with `as: bigint`",
        ("bigint(20) unsigned as bigint",),
        "the number: no object for each value in Spark, half the memory in Trino; for ids, which count up from 1",
        "from 9223372036854775808 on",
    ),
    Line("BIT(1) to BIT(31)", ("bit(1)", "bit(31)"), "the number of its bits, the last one counting 1"),
    Line("BIT(32) to BIT(63)", ("bit(32)", "bit(63)"), "the same"),
    Line(
        "TINYINT, BIT(1) with `as: boolean`",
        ("tinyint(1) as boolean", "bit(1) as boolean"),
        "0 is false, 1 is true",
        "every other number",
    ),
    Line("DECIMAL(p,s) to 38 digits, here (12,2)", ("decimal(12,2)", "numeric(12,2)"), "every digit"),
    Line(
        "DECIMAL(p,s) above 38 digits",
        ("decimal(39,0)", "decimal(65,30)"),
        "as the server prints it, all decimals, no zeros in front; `lake add-table` remarks on it in the contract",
    ),
    Line("FLOAT", ("float", "float(7,3) unsigned"), "the same bits, −0.0 and denormals too"),
    Line("DOUBLE", ("double", "double(16,4)", "real"), "the same bits"),
    Line(
        "DATE",
        ("date",),
        "the day, by the Gregorian calendar also before 1582",
        "zero and partial dates, days that the month does not have, the year 0",
    ),
    Line(
        "DATETIME(0) to (6)",
        ("datetime", "datetime(6)"),
        "to the microsecond; it has no zone, and what it shows is taken for UTC",
        "as DATE",
    ),
    Line(
        "TIMESTAMP(0) to (6)",
        ("timestamp", "timestamp(6)"),
        "the instant, to the microsecond, whatever the zones of server and session are",
        "the zero timestamp",
    ),
    Line("TIME(0) to (6)", ("time", "time(6)"), "as the server prints it: `-838:59:59`, `24:00:00.000001`"),
    Line("YEAR", ("year(4)",), "the number; 0000 is 0"),
    Line(
        "CHAR to LONGTEXT in every character set, JSON",
        ("char(5)", "varchar(20)", "tinytext", "text", "mediumtext", "longtext", "json"),
        "the characters as the server converts them to UTF-8, blanks at the end and NUL too; JSON as the server has it",
        "bytes that are no UTF-8, such as halves of a surrogate pair",
    ),
    Line(
        "ENUM, SET",
        ("enum('a','b')", "set('a','b')"),
        "the labels, those of a SET with commas; an ENUM's `''` of a wrong value has the reason `not_accepted`",
    ),
    Line("UUID, INET4, INET6 (MariaDB)", ("uuid", "inet4", "inet6"), "as the server prints it"),
    Line(
        "BINARY to LONGBLOB, VECTOR",
        ("binary(4)", "varbinary(20)", "tinyblob", "blob", "mediumblob", "longblob", "vector(3)"),
        "the bytes; BINARY with its NULs at the end",
    ),
    Line(
        "GEOMETRY and its kinds",
        (
            "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
            "geometrycollection", "geomcollection",
        ),
        "the server's bytes: the SRID in 4 bytes, little-endian, then WKB, which is `substr(shape, 5)`",
    ),
)  # fmt: skip


def names(arrow: pa.DataType) -> tuple[str, str, str, str]:
    """A type's names in Arrow, Parquet, Iceberg and Trino."""
    if pa.types.is_decimal(arrow):
        arguments = f"({arrow.precision}, {arrow.scale})"
        return f"decimal128{arguments}", f"DECIMAL{arguments}", f"decimal{arguments}", f"decimal{arguments}"
    known: dict[pa.DataType, tuple[str, str, str]] = {
        pa.bool_(): ("BOOLEAN", "boolean", "boolean"),
        pa.int32(): ("INT32", "int", "integer"),
        pa.int64(): ("INT64", "long", "bigint"),
        pa.float32(): ("FLOAT", "float", "real"),
        pa.float64(): ("DOUBLE", "double", "double"),
        pa.string(): ("STRING", "string", "varchar"),
        pa.binary(): ("BYTE_ARRAY", "binary", "varbinary"),
        pa.date32(): ("DATE", "date", "date"),
        types.INSTANT: ("TIMESTAMP (µs, UTC)", "timestamptz", "timestamp(6) with time zone"),
    }
    return (str(arrow), *known[arrow])


def markdown() -> str:
    """The table as it stands in the document."""
    lines = ["| MySQL | Arrow | Parquet | Iceberg | Trino | how it is held | `unreadable` |", "|---" * 7 + "|"]
    for line in LINES:
        (arrow,) = {parsed.arrow for parsed in line.parsed}
        lines.append(f"| {' | '.join((line.shown, *names(arrow), line.held, line.unreadable))} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")
