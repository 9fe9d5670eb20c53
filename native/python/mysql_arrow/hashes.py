"""The SQL of the row hash that the decoder computes, so that server and reader can be compared.

A row is the text of its columns, one after the other: NULL is ``N,``; a text is ``<bytes>:<text>,``; bytes, bits and
geometries are hexadecimal and ``,``, and so are the eight bytes of a floating point number; everything else is as the
server prints it and ``,``. With the columns' types known this can be read back, so rows that differ in any value are
different texts. A row's hash is the first 8 bytes of the SHA-256 of that, and the hash of a table is the sum over its
rows: two tables that differ have the same one with a probability of at most 2 to the power of -64.

SHA-256, because MySQL 9.6 and later have neither MD5 nor SHA-1 unless a component is installed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from typing import Any

import mysql_arrow

_TEXT = {
    "char",
    "varchar",
    "tinytext",
    "text",
    "mediumtext",
    "longtext",
    "json",
    "enum",
    "set",
    "uuid",
    "inet4",
    "inet6",
}
_BYTES = {
    "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector",
    "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
    "geometrycollection", "geomcollection",
}  # fmt: skip
_TIMES = {"date", "time"}
_MOMENTS = {"datetime", "timestamp"}
_INTEGERS = {"tinyint", "smallint", "mediumint", "int", "integer", "bigint", "decimal", "numeric", "boolean", "bool"}
_FLOATS = {"float", "double", "real"}


UNHASHED = 10**30
"""What a row counts that the server cannot hash: more than the hashes of all rows that any table has."""

NULL, UNREADABLE = "N", "U"
"""Pieces of what is no value: NULL, and a value that a schema cannot hold, where that is told apart from NULL."""


def hash_expression(columns: Iterable[tuple[str, str]], instead: Mapping[str, tuple[str, str]] | None = None) -> str:
    """The aggregate that a SELECT computes: the sum of the rows' hashes, NULL for no rows.

    MariaDB and MySQL both take it, with no component installed. A row whose text is longer than the server's
    ``max_allowed_packet`` counts `UNHASHED`, so a sum of that or more says nothing of its rows.

    Args:
        columns: name and MySQL type of each column, in the order of the result, the type as
            ``information_schema.columns.column_type`` has it.
        instead: by column's name, a condition in SQL and the piece (`NULL` or `UNREADABLE`) of values that meet it.

    Raises:
        ValueError: a type is unknown.
    """
    return f"SUM({row_hash_expression(columns, instead)})"


def row_hash_expression(
    columns: Iterable[tuple[str, str]], instead: Mapping[str, tuple[str, str]] | None = None
) -> str:
    """The hash of one row in SQL, or `UNHASHED`; arguments and errors are those of `hash_expression`."""
    pieces = []
    for name, mysql in columns:
        column = "`" + name.replace("`", "``") + "`"
        piece = _piece(column, mysql)
        if instead and name in instead:
            condition, mark = instead[name]
            piece = f"IF({condition}, '{mark}', {piece})"
        pieces.append(f"{piece}, ','")
    # CONV gives a text again.
    number = f"CAST(CONV(LEFT(SHA2(CONCAT({', '.join(pieces)}), 256), 16), 16, 10) AS UNSIGNED)"
    return f"IFNULL({number}, {UNHASHED})"


def row_hashes(
    rows: Any, columns: Iterable[tuple[str, str]], *, problems: str | None = None, decoder: str | None = None
) -> Any:
    """The hash of each row of a batch: what `row_hash_expression` says of the row that the server has.

    For rows that were read, and were kept as Arrow values since. What a policy has made of a value is hashed as it is.

    Args:
        rows: a record batch, or what has ``__arrow_c_array__`` as one.
        columns: name in the batch and MySQL type of each column that is hashed, in the order of the expression's.
        problems: the batch's column of problems; what it tells of is `UNREADABLE` and not `NULL`.
        decoder: ``plain`` for the one in plain Python, though the extension is there.

    Returns:
        What `pyarrow.array` takes for an array of uint64.

    Raises:
        ValueError: a type is unknown, or is not what the column has become.
    """
    listed = [(name, *astuple(form(mysql))) for name, mysql in columns]
    if decoder != "plain" and mysql_arrow.NATIVE:
        from mysql_arrow import _native

        return _native.row_hashes(rows, listed, problems)
    from mysql_arrow import _fallback

    return _fallback.row_hashes(rows, listed, problems)


@dataclass(frozen=True)
class Form:
    """How a value is written into a piece.

    Attributes:
        name: ``text`` and ``bytes``; ``bits`` and ``float``, which are hexadecimal too; ``zeros`` is a number that the
            server may print with zeros in front; ``moment`` a date with a time; ``plain`` is as it is printed.
        digits: bytes of the bits, or digits of a moment's fraction of a second.
    """

    name: str
    digits: int = 0


def form(mysql: str) -> Form:
    """How values of a MySQL type are written.

    Raises:
        ValueError: the type is unknown.
    """
    match = re.match(r"\s*([a-z0-9_]+)\s*(?:\(\s*(\d+)[^)]*\))?", mysql.lower())
    base, digits = (match[1], int(match[2] or 0)) if match else ("", 0)
    if base in _TEXT:
        return Form("text")
    if base in _BYTES:
        return Form("bytes")
    if base == "bit":
        return Form("bits", (max(digits, 1) + 7) // 8)
    if base in _FLOATS:
        return Form("float")
    if base in _MOMENTS:
        return Form("moment", digits)
    if base == "year" or (base in _INTEGERS and "zerofill" in mysql.lower()):
        return Form("zeros")
    if base in _INTEGERS | _TIMES:
        return Form("plain")
    raise ValueError(f"{mysql!r} is not a type that can be hashed")


def _piece(column: str, mysql: str) -> str:
    written = form(mysql)
    match written.name:
        case "text":
            text = f"CONVERT({column} USING utf8mb4)"
            # As bytes: texts of several collations cannot be put together.
            value = f"CONCAT(OCTET_LENGTH({text}), ':', CAST({text} AS BINARY))"
        case "bytes":
            value = f"HEX({column})"
        case "bits":
            # HEX of a number leaves out its first zeros; the wire has whole bytes.
            value = f"LPAD(HEX({column} + 0), {written.digits * 2}, '0')"
        case "float":
            # A point's bytes are the one way to those of a double: printing c * 1e0, MySQL leaves the last digit out.
            value = f"HEX(SUBSTR(POINT({column}, 0), 10, 8))"
        case "zeros":
            return f"IFNULL({column} + 0, '{NULL}')"
        case _:
            return f"IFNULL({column}, '{NULL}')"
    # Not by IFNULL: what has become too long is NULL too, and must make the row NULL.
    return f"IF({column} IS NULL, '{NULL}', {value})"
