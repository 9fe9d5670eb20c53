"""Keys of the row events of a binlog, in the values that the snapshot's own reader gives for the same keys.

Only keys are taken from row events; see docs/decisions. What the client gives for them depends on what the event does
not say (signs, character sets, padding), so it is put right by the contract and the table's own description.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from lake.contracts import Contract

CODECS = {"utf8mb4": "utf-8", "utf8mb3": "utf-8", "utf8": "utf-8", "ascii": "ascii", "latin1": "cp1252"}
"""Character sets of key columns that are decoded here as the server does it."""

_UNSIGNED_BITS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "integer": 32, "bigint": 64}
_TEXT = {"char", "varchar"}
_AS_THEY_ARE = {"decimal", "numeric", "date", "datetime", "timestamp", "varbinary", *_UNSIGNED_BITS}


def why_not(contract: Contract) -> str:
    """Why a table's keys cannot be taken from row events; empty if they can."""
    if not contract.key:
        return "it has no key"
    for name in contract.key:
        base = contract.columns[name].parsed.base
        if base not in _AS_THEY_ARE | _TEXT | {"binary"} or contract.columns[name].as_ == "boolean":
            return f"the key {name} is {contract.columns[name].type}, which is not taken from row events"
    return ""


def _base(mysql: str) -> str:
    return mysql.lower().partition("(")[0].split()[0]


def value(given: Any, mysql: str, arrow: pa.DataType, charset: str) -> Any:
    """A key's value as the contract's reader would give it.

    Args:
        given: by the client; texts as bytes.
        mysql: the column's type.
        charset: its character set, for text.

    Raises:
        ValueError: the value cannot be told, such as a day that is none.
    """
    if given is None:
        raise ValueError("a key without a value, or with one that is no date")
    base = _base(mysql)
    if given == "":
        given = b""  # Python decodes no bytes to a text without asking for the codec
    if base in _UNSIGNED_BITS:
        whole = given % (1 << _UNSIGNED_BITS[base]) if "unsigned" in mysql.lower() else given
        if pa.types.is_decimal(arrow):
            return Decimal(whole)
        if whole >= 1 << 63:
            raise ValueError(f"{whole} is no signed 64-bit integer, as which the contract reads it")
        return whole
    if base in _TEXT:
        return _text(given, charset)
    if base == "binary":
        length = int(mysql.partition("(")[2].rstrip(") ") or 1)
        return given.ljust(length, b"\0")
    if isinstance(given, datetime):
        return given.replace(tzinfo=UTC)
    if not isinstance(given, bytes | Decimal | date):
        raise ValueError(f"{given!r} is no {mysql}")
    return given


def _text(given: bytes, charset: str) -> str:
    if CODECS.get(charset) is None:
        raise ValueError(f"the character set {charset} is not decoded here")
    # The five bytes that cp1252 leaves out are what they are in Latin-1, as in MySQL's latin1.
    if charset == "latin1":
        return "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in given)
    return given.decode(CODECS[charset])


def table(contract: Contract, keys: list[tuple[Any, ...]]) -> pa.Table:
    """Keys as a table of the contract's key columns."""
    fields = [contract.schema.field(name) for name in contract.key]
    columns = list(zip(*keys, strict=True)) if keys else [()] * len(fields)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, fields, strict=True)]
    return pa.table(arrays, schema=pa.schema(fields))
