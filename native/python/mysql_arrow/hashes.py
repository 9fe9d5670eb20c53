"""The SQL of the row hash that the decoder computes, so that server and reader can be compared.

A row is the text of its columns, one after the other: NULL is ``N,``; a text is ``<bytes>:<text>,``; bytes, bits and
geometries are hexadecimal and ``,``; everything else is as the server prints it and ``,``. Its hash is the first half
of the MD5 of that, and the hash of a table is the sum over its rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

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
_TIMES = {"date", "datetime", "timestamp", "time"}
_INTEGERS = {"tinyint", "smallint", "mediumint", "int", "integer", "bigint", "decimal", "numeric", "boolean", "bool"}
_FLOATS = {"float", "double", "real"}


def hash_expression(columns: Iterable[tuple[str, str]]) -> str:
    """The aggregate that a SELECT computes: the sum of the rows' hashes, NULL for no rows.

    MariaDB and MySQL 8 both take it. The row's text must be shorter than the server's ``max_allowed_packet``.

    Args:
        columns: name and MySQL type of each column, in the order of the result, the type as
            ``information_schema.columns.column_type`` has it.

    Raises:
        ValueError: a type is unknown.
    """
    pieces = [_piece(f"`{name.replace('`', '``')}`", mysql) for name, mysql in columns]
    row = f"CONCAT({', '.join(pieces)})"
    return f"SUM(CAST(CONV(LEFT(MD5({row}), 16), 16, 10) AS DECIMAL(20,0)))"


def _piece(column: str, mysql: str) -> str:
    match = re.match(r"\s*([a-z0-9_]+)\s*(?:\(\s*(\d+)[^)]*\))?", mysql.lower())
    base, digits = (match[1], match[2]) if match else ("", None)
    # Everything as bytes: pieces of several collations cannot be put together.
    if base in _TEXT:
        text = f"CONVERT({column} USING utf8mb4)"
        return f"IFNULL(CONCAT(OCTET_LENGTH({text}), ':', CAST({text} AS BINARY), ','), 'N,')"
    if base in _BYTES:
        value = f"HEX({column})"
    elif base == "bit":
        # HEX of a number leaves out its first zeros; the wire has whole bytes.
        value = f"LPAD(HEX({column} + 0), {(int(digits or 1) + 7) // 8 * 2}, '0')"
    elif base in _FLOATS:
        # As a double, whose digits are all printed; adding 0e0 would take the sign of a negative zero.
        value = f"CAST({column} * 1e0 AS CHAR)"
    elif base == "year" or (base in _INTEGERS and "zerofill" in mysql.lower()):
        value = f"CAST({column} + 0 AS CHAR)"
    elif base in _INTEGERS | _TIMES:
        value = f"CAST({column} AS CHAR)"
    else:
        raise ValueError(f"{mysql!r} is not a type that can be hashed")
    return f"IFNULL(CAST(CONCAT({value}, ',') AS BINARY), 'N,')"
