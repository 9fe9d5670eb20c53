"""What each MySQL type becomes: in Arrow and Parquet, in Iceberg, in Spark, in Trino.

One table for all engines, so that no value changes between two of them. Widening is allowed, narrowing is not:
unsigned 64-bit becomes decimal(20,0), money keeps its precision and scale, instants are UTC with microseconds.
`docs/types.md` shows it whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")
MAX_DECIMAL_DIGITS = 38

# MariaDB appends remarks such as `/*M!100301 COMPRESSED*/`, which say nothing about the values.
_TYPE = re.compile(
    r"^(?P<base>[a-z]+[46]?)\s*(?:\((?P<args>.*)\))?\s*(?P<flags>(?:unsigned|zerofill|\s)*)(?P<remark>/\*.*\*/)?\s*$",
    re.IGNORECASE | re.DOTALL,
)
_LABEL = re.compile(r"'((?:[^']|'')*)'")
_ESCAPE = re.compile(r"''|\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "0": "\0"}

_INTEGERS: dict[str, tuple[pa.DataType, pa.DataType]] = {
    # name: (signed, unsigned); Iceberg has 32 and 64 bits, both signed
    "tinyint": (pa.int32(), pa.int32()),
    "smallint": (pa.int32(), pa.int32()),
    "mediumint": (pa.int32(), pa.int32()),
    "int": (pa.int32(), pa.int64()),
    "integer": (pa.int32(), pa.int64()),
    "bigint": (pa.int64(), pa.decimal128(20, 0)),
}
_DECIMALS = {"decimal", "numeric"}
_TEXTS = {
    "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "json", "enum", "set", "uuid", "inet4", "inet6",
}  # fmt: skip
_BYTES = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector"}
_GEOMETRIES = {
    "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
    "geometrycollection", "geomcollection",
}  # fmt: skip
_OTHERS: dict[str, pa.DataType] = {
    "float": pa.float32(),
    "double": pa.float64(),
    "real": pa.float64(),
    "date": pa.date32(),
    "datetime": INSTANT,
    "timestamp": INSTANT,
    # No engine here has a time of day with a sign and 838 hours.
    "time": pa.string(),
    "year": pa.int32(),
}
KNOWN = frozenset({*_INTEGERS, *_DECIMALS, "bit", *_TEXTS, *_BYTES, *_GEOMETRIES, *_OTHERS})
"""Names of all types that can be extracted."""


@dataclass(frozen=True)
class ColumnType:
    """A source type and what it becomes.

    Attributes:
        mysql: the type as MySQL writes it, e.g. ``bigint(20) unsigned``.
        base: its name alone, e.g. ``bigint``.
        arrow: its Arrow type, which is also its Parquet type.
        labels: the labels of an ENUM or SET, in their order; empty otherwise.
        caveat: what a user of the column should know beforehand; mostly nothing.
    """

    mysql: str
    base: str
    arrow: pa.DataType
    labels: tuple[str, ...] = ()
    caveat: str = ""

    @property
    def is_unsigned(self) -> bool:
        """Whether it is a number that is never below zero."""
        return "unsigned" in self.mysql.lower()

    @property
    def length(self) -> int:
        """What stands in brackets: characters, bytes, bits, or digits behind the second; 0 where nothing does."""
        found = re.search(r"^\w+\((\d+)\)", self.mysql)
        return int(found[1]) if found else 0

    @property
    def sql(self) -> str:
        """The type in Spark's DDL."""
        return sql_name(self.arrow)

    @property
    def is_unsigned_64(self) -> bool:
        """Whether it is an integer that only a decimal holds here."""
        return self.base == "bigint" and pa.types.is_decimal(self.arrow)


def parse(mysql: str, as_type: str | None = None) -> ColumnType:
    """Read a MySQL column type as `information_schema.columns.column_type` gives it.

    Args:
        mysql: e.g. ``decimal(12,2)``, ``enum('a','b')``.
        as_type: what the contract wants instead: ``boolean`` for TINYINT and BIT(1), ``bigint`` for BIGINT UNSIGNED.

    Raises:
        ValueError: the type is unknown; the message says what is known.
    """
    match = _TYPE.match(mysql.strip())
    if not match:
        raise ValueError(f"{mysql!r} is not a MySQL column type such as 'decimal(12,2)' or 'bigint unsigned'")
    base, arguments = match["base"].lower(), match["args"] or ""
    is_unsigned = "unsigned" in match["flags"].lower()
    if as_type is not None:
        if as_type == "boolean" and (base == "tinyint" or (base == "bit" and arguments in {"", "1"})):
            return ColumnType(mysql, base, pa.bool_())
        if as_type == "bigint" and base == "bigint" and is_unsigned:
            return ColumnType(mysql, base, pa.int64())
        raise ValueError(
            f"{mysql!r} cannot be read as {as_type!r}: tinyint and bit(1) can be read as 'boolean', bigint unsigned as "
            "'bigint'"
        )
    arrow, caveat = _arrow(base, arguments, is_unsigned, mysql)
    labels = tuple(_unescaped(label) for label in _LABEL.findall(arguments)) if base in {"enum", "set"} else ()
    return ColumnType(mysql, base, arrow, labels, caveat)


def _arrow(base: str, arguments: str, unsigned: bool, mysql: str) -> tuple[pa.DataType, str]:
    if base in _INTEGERS:
        return _INTEGERS[base][unsigned], ""
    if base in _DECIMALS:
        digits, _, scale = arguments.partition(",")
        precision = int(digits or 10)
        if precision > MAX_DECIMAL_DIGITS:
            return pa.string(), f"has more than {MAX_DECIMAL_DIGITS} digits: exact text in the lake, not a number"
        return pa.decimal128(precision, int(scale or 0)), ""
    if base == "bit":
        bits = int(arguments or 1)
        return (pa.int32() if bits < 32 else pa.int64() if bits < 64 else pa.decimal128(20, 0)), ""
    if base in _TEXTS:
        return pa.string(), ""
    if base in _BYTES:
        return pa.binary(), ""
    if base in _GEOMETRIES:
        return pa.binary(), "holds 4 bytes of SRID (little-endian), then WKB"
    if base in _OTHERS:
        return _OTHERS[base], ""
    raise ValueError(f"{mysql!r} is not a type that can be extracted; known are {', '.join(sorted(KNOWN))}")


def _unescaped(label: str) -> str:
    """A label as it is: the server doubles quotes and writes backslash, line ends and NUL with a backslash."""
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]) if found[1] else "'", label)


def normalised(mysql: str) -> str:
    """The type without what has no meaning: display widths (MariaDB prints them, MySQL 8 does not), remarks, case,
    spaces."""
    if "'" in mysql:
        return mysql.strip()
    text = " ".join(re.sub(r"/\*.*\*/", "", mysql).lower().split())
    return re.sub(r"^((?:tiny|small|medium|big)?int(?:eger)?|year)\(\d+\)", r"\1", text)


def same(declared: str, actual: str) -> bool:
    """Whether two type texts mean one type. MariaDB's JSON is LONGTEXT under a check, so those two are one."""
    left, right = normalised(declared), normalised(actual)
    return left == right or {left, right} == {"json", "longtext"}


def sql_name(arrow: pa.DataType) -> str:
    """Name of an Arrow type in Spark's and Iceberg's DDL."""
    if pa.types.is_decimal(arrow):
        return f"decimal({arrow.precision},{arrow.scale})"
    names: dict[pa.DataType, str] = {
        pa.bool_(): "boolean",
        pa.int32(): "int",
        pa.int64(): "bigint",
        pa.float32(): "float",
        pa.float64(): "double",
        pa.string(): "string",
        pa.binary(): "binary",
        pa.date32(): "date",
        INSTANT: "timestamp",
    }
    return names[arrow]
