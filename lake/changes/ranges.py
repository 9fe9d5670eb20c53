"""Ranges of a table's key: the same set of rows for the server, by its index, and for the lake, by comparison.

Only keys whose order is the same everywhere can be cut into ranges: whole numbers, decimals, days and instants, bytes.
The order of text belongs to the server's collation, which neither Arrow nor Iceberg knows; see `buckets`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pymysql.connections import Connection

from lake.contracts import Contract
from lake.source.quoting import literal, quote

Key = tuple[Any, ...]
"""One value a key column, as Arrow's ``as_py`` gives them."""

Condition = tuple[str, tuple[Any, ...]]
"""A template of SQL for WHERE with its parameters; empty for every row."""


@dataclass(frozen=True)
class Range:
    """Keys from `lower` on and before `upper`, compared column by column; None is an open end."""

    lower: Key | None = None
    upper: Key | None = None

    def condition(self, contract: Contract) -> Condition:
        """The range in SQL, in a form of which both servers make one range of the key's index."""
        parts = [
            _beyond(contract, self.lower, ">", ">=") if self.lower is not None else ("", ()),
            _beyond(contract, self.upper, "<", "<") if self.upper is not None else ("", ()),
        ]
        texts = [text for text, _ in parts if text]
        return " AND ".join(texts), tuple(value for _, values in parts for value in values)

    def holds(self, rows: pa.Table, key: Sequence[str]) -> pa.ChunkedArray | pa.Scalar:
        """For each row whether its key is in the range."""
        inside = [
            _compared(rows, key, self.lower, pc.greater, pc.greater_equal) if self.lower is not None else None,
            _compared(rows, key, self.upper, pc.less, pc.less) if self.upper is not None else None,
        ]
        masks = [mask for mask in inside if mask is not None]
        return reduce(pc.and_, masks) if masks else pa.scalar(True)


def within(rows: pa.Table, ranges: Sequence[Range], key: Sequence[str]) -> pa.Table:
    """The rows whose key is in one of the ranges."""
    if any(one.lower is None and one.upper is None for one in ranges):
        return rows
    return rows.filter(reduce(pc.or_, [one.holds(rows, key) for one in ranges])) if ranges else rows.slice(0, 0)


def any_of(conditions: Sequence[Condition]) -> Condition:
    """The rows that meet one of the conditions."""
    texts = [text for text, _ in conditions]
    if not all(texts):
        return "", ()
    joined = texts[0] if len(texts) == 1 else " OR ".join(f"({text})" for text in texts)
    return joined, tuple(value for _, values in conditions for value in values)


def has_order(contract: Contract) -> bool:
    """Whether the key's order is the same in the server, in Arrow and in Iceberg."""
    return bool(contract.key) and all(_is_ordered(contract.columns[name].parsed.arrow) for name in contract.key)


def _is_ordered(arrow: pa.DataType) -> bool:
    kinds = (pa.types.is_integer, pa.types.is_decimal, pa.types.is_date, pa.types.is_timestamp, pa.types.is_binary)
    return any(of_kind(arrow) for of_kind in kinds)


def _beyond(contract: Contract, key: Key, strictly: str, at_last: str) -> Condition:
    """``(a > x) OR (a = x AND b >= y)``: comparing rows as ``(a, b) >= (x, y)`` would not use an index."""
    columns = [quote(contract.column_in_source(name)) for name in contract.key]
    values = [sql_value(value) for value in key]
    terms: list[str] = []
    parameters: list[Any] = []
    for place, column in enumerate(columns):
        same = [f"{other} = %s" for other in columns[:place]]
        compare = at_last if place == len(columns) - 1 else strictly
        terms.append(" AND ".join([*same, f"{column} {compare} %s"]))
        parameters += values[: place + 1]
    if len(terms) == 1:
        return terms[0], tuple(parameters)
    # The first column alone is implied; it helps an optimiser that does not see it in the OR.
    implied = f"{columns[0]} {strictly}= %s"
    return f"{implied} AND ({' OR '.join(f'({term})' for term in terms)})", (values[0], *parameters)


def _compared(rows: pa.Table, key: Sequence[str], bound: Key, strictly: Any, at_last: Any) -> pa.ChunkedArray:
    column, value = rows[key[0]], pa.scalar(bound[0], rows.schema.field(key[0]).type)
    if len(key) == 1:
        return at_last(column, value)
    later = _compared(rows, key[1:], bound[1:], strictly, at_last)
    return pc.or_(strictly(column, value), pc.and_(pc.equal(column, value), later))


def rendered(connection: Connection[Any], condition: Condition) -> str:
    """A condition with its values in place, still a template: any ``%`` of it is doubled."""
    text, values = condition
    return text.replace("%%", "%%%%") % tuple(literal(connection, value) for value in values)


def sql_value(value: Any) -> Any:
    """A key's value as a parameter: instants in the session's zone, which is UTC, and without naming it."""
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def to_json(key: Key) -> list[Any]:
    """A key in plain JSON values."""
    return [_plain(value) for value in key]


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, Decimal) else value


def from_json(values: Sequence[Any], contract: Contract) -> Key:
    """The inverse of `to_json`."""
    types = [contract.columns[name].parsed.arrow for name in contract.key]
    return tuple(_typed(value, arrow) for value, arrow in zip(values, types, strict=True))


def _typed(value: Any, arrow: pa.DataType) -> Any:
    if pa.types.is_decimal(arrow):
        return Decimal(value)
    if pa.types.is_timestamp(arrow):
        return datetime.fromisoformat(value)
    if pa.types.is_date(arrow):
        return date.fromisoformat(value)
    return bytes.fromhex(value) if pa.types.is_binary(arrow) else value
