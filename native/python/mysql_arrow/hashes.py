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


UNHASHED = 10**30
"""What a row counts that the server cannot hash: more than the hashes of all rows that any table has."""


def hash_expression(columns: Iterable[tuple[str, str]]) -> str:
    """The aggregate that a SELECT computes: the sum of the rows' hashes, NULL for no rows.

    MariaDB and MySQL both take it, with no component installed. A row whose text is longer than the server's
    ``max_allowed_packet`` counts `UNHASHED`, so a sum of that or more says nothing of its rows.

    Args:
        columns: name and MySQL type of each column, in the order of the result, the type as
            ``information_schema.columns.column_type`` has it.

    Raises:
        ValueError: a type is unknown.
    """
    pieces = [_piece("`" + name.replace("`", "``") + "`", mysql) + ", ','" for name, mysql in columns]
    # CONV gives a text again.
    number = f"CAST(CONV(LEFT(SHA2(CONCAT({', '.join(pieces)}), 256), 16), 16, 10) AS UNSIGNED)"
    return f"SUM(IFNULL({number}, {UNHASHED}))"


def _piece(column: str, mysql: str) -> str:
    match = re.match(r"\s*([a-z0-9_]+)\s*(?:\(\s*(\d+)[^)]*\))?", mysql.lower())
    base, digits = (match[1], match[2]) if match else ("", None)
    if base in _TEXT:
        text = f"CONVERT({column} USING utf8mb4)"
        # As bytes: texts of several collations cannot be put together.
        value = f"CONCAT(OCTET_LENGTH({text}), ':', CAST({text} AS BINARY))"
    elif base in _BYTES:
        value = f"HEX({column})"
    elif base == "bit":
        # HEX of a number leaves out its first zeros; the wire has whole bytes.
        value = f"LPAD(HEX({column} + 0), {(int(digits or 1) + 7) // 8 * 2}, '0')"
    elif base in _FLOATS:
        # A point's bytes are the one way to those of a double: printing c * 1e0, MySQL leaves the last digit out.
        value = f"HEX(SUBSTR(POINT({column}, 0), 10, 8))"
    elif base == "year" or (base in _INTEGERS and "zerofill" in mysql.lower()):
        return f"IFNULL({column} + 0, 'N')"
    elif base in _INTEGERS | _TIMES:
        return f"IFNULL({column}, 'N')"
    else:
        raise ValueError(f"{mysql!r} is not a type that can be hashed")
    # Not by IFNULL: what has become too long is NULL too, and must make the row NULL.
    return f"IF({column} IS NULL, 'N', {value})"
