"""What each MySQL type becomes: in Arrow and Parquet, in Iceberg, in Spark.

One table for all engines, so that no value changes between two of them. Widening is allowed, narrowing is not:
unsigned 64-bit becomes decimal(20,0), money keeps its precision and scale, instants are UTC with microseconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")
MAX_DECIMAL_DIGITS = 38

_TYPE = re.compile(
    r"^(?P<base>[a-z]+)\s*(?:\((?P<args>.*)\))?\s*(?P<flags>(?:unsigned|zerofill|\s)*)$", re.IGNORECASE | re.DOTALL
)
_LABEL = re.compile(r"'((?:[^']|'')*)'")

_INTEGERS: dict[str, tuple[pa.DataType, pa.DataType]] = {
    # name: (signed, unsigned); Iceberg has 32 and 64 bits, both signed
    "tinyint": (pa.int32(), pa.int32()),
    "smallint": (pa.int32(), pa.int32()),
    "mediumint": (pa.int32(), pa.int32()),
    "int": (pa.int32(), pa.int64()),
    "integer": (pa.int32(), pa.int64()),
    "bigint": (pa.int64(), pa.decimal128(20, 0)),
}
_TEXT = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "json", "enum", "set", "uuid", "inet6"}
_BYTES = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}


@dataclass(frozen=True)
class ColumnType:
    """A source type and what it becomes.

    Attributes:
        mysql: the type as MySQL writes it, e.g. ``bigint(20) unsigned``.
        arrow: its Arrow type, which is also its Parquet type.
        labels: the labels of an ENUM or SET, in their order; empty otherwise.
    """

    mysql: str
    arrow: pa.DataType
    labels: tuple[str, ...] = ()

    @property
    def sql(self) -> str:
        """The type in Spark's DDL."""
        return sql_name(self.arrow)


def parse(mysql: str, as_type: str | None = None) -> ColumnType:
    """Read a MySQL column type as `information_schema.columns.column_type` gives it.

    Args:
        mysql: e.g. ``decimal(12,2)``, ``enum('a','b')``.
        as_type: what the contract wants instead; only ``boolean``, for TINYINT.

    Raises:
        ValueError: the type is unknown or cannot be held exactly; the message says what is known.
    """
    match = _TYPE.match(mysql.strip())
    if not match:
        raise ValueError(f"{mysql!r} is not a MySQL column type such as 'decimal(12,2)' or 'bigint unsigned'")
    base, arguments = match["base"].lower(), match["args"] or ""
    if as_type is not None:
        if as_type != "boolean" or base != "tinyint":
            raise ValueError(f"{mysql!r} cannot be read as {as_type!r}: only tinyint can, as 'boolean'")
        return ColumnType(mysql, pa.bool_())
    labels = tuple(label.replace("''", "'") for label in _LABEL.findall(arguments)) if base in {"enum", "set"} else ()
    return ColumnType(mysql, _arrow(base, arguments, "unsigned" in match["flags"].lower(), mysql), labels)


def _arrow(base: str, arguments: str, unsigned: bool, mysql: str) -> pa.DataType:
    if base in _INTEGERS:
        return _INTEGERS[base][unsigned]
    if base in {"decimal", "numeric"}:
        digits, _, scale = arguments.partition(",")
        precision = int(digits or 10)
        if precision > MAX_DECIMAL_DIGITS:
            raise ValueError(f"{mysql!r} has more than {MAX_DECIMAL_DIGITS} digits, which no lake table can hold")
        return pa.decimal128(precision, int(scale or 0))
    if base in _TEXT:
        return pa.string()
    if base in _BYTES:
        return pa.binary()
    simple = {
        "float": pa.float32(),
        "double": pa.float64(),
        "date": pa.date32(),
        "datetime": INSTANT,
        "timestamp": INSTANT,
        "time": pa.string(),
        "year": pa.int32(),
    }
    if base not in simple:
        known = sorted({*_INTEGERS, "decimal", *_TEXT, *_BYTES, *simple})
        raise ValueError(f"{mysql!r} is not a type that can be extracted; known are {', '.join(known)}")
    return simple[base]


def normalised(mysql: str) -> str:
    """The type without what has no meaning: display widths (MariaDB prints them, MySQL 8 does not), case, spaces."""
    text = " ".join(mysql.lower().split()) if "'" not in mysql else mysql.strip()
    return re.sub(r"^((?:tiny|small|medium|big)?int(?:eger)?)\(\d+\)", r"\1", text)


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
