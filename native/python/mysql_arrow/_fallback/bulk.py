"""Whole columns at once: what was sent into Arrow arrays, and into what is hashed of it.

What a value means is known by `values` and `convert`, which take one at a time. Arrow takes the integers, decimals,
moments and texts of all rows together, and is trusted only with those of which it makes the same: the others are left
NULL, and `cells` looks at each NULL that the server has not sent. For other types `values` and `convert` are asked here
too, once for each distinct value of a batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mysql_arrow._fallback.columns import NOT_FIXED, Column, packed
from mysql_arrow._fallback.convert import Reject, array, convert
from mysql_arrow._fallback.values import from_binary, from_text, piece
from mysql_arrow.errors import ProtocolError

Read = Callable[[pa.Array], pa.Array]

_DATE = Column("", 10, "date")
_MOMENT = pa.timestamp("us")
_LENGTHS = pa.array([0, 4, 7, 11], pa.int32())
"""Of a moment in the binary protocol, which leaves out zeros at its end."""

_MICROS_PER_DAY = 86_400_000_000
_CLOCK = [
    (4, pa.uint8(), 3_600_000_000, 24),
    (5, pa.uint8(), 60_000_000, 60),
    (6, pa.uint8(), 1_000_000, 60),
    (7, pa.uint32(), 1, 1_000_000),
]
"""Where the parts of its clock lie, their types, how many microseconds each counts, and what it must be less than."""


@dataclass(frozen=True)
class Bulk:
    """How a column is read, decided once for a result.

    Attributes:
        read: makes values of the column's own type out of what was sent.
        convert: makes values of the schema's type out of these.
        pieces: makes what is hashed, without the comma, out of what was sent and what ``read`` made of it.
    """

    read: Read
    convert: Read
    pieces: Callable[[pa.Array, pa.Array], pa.Array]


def choose(column: Column, target: pa.DataType, *, binary: bool) -> Bulk:
    """The way for a column, its type in the schema, and the protocol."""
    parse = from_binary if binary else from_text
    read_each = _each_once(lambda sent: convert(parse(column, sent), column, target), target)
    print_each = _each_once(lambda sent: piece(parse(column, sent), column), pa.large_binary())

    def cast(values: pa.Array) -> pa.Array:
        return _cast(values, target)

    def pieces_of_each(sent: pa.Array, _: pa.Array) -> pa.Array:
        return print_each(sent)

    match column.kind:
        case "int" | "year":
            to_target = _truths if pt.is_boolean(target) else cast
            if binary:
                return Bulk(_numbers(packed(column)), to_target, _printed_numbers)
            return Bulk(_numbers_of_text(column), to_target, _as_sent)
        case "float" | "double" if binary:
            narrows = column.kind == "double" and pt.is_float32(target)
            return Bulk(_numbers(packed(column)), _narrowed if narrows else cast, pieces_of_each)
        case "decimal":
            return Bulk(_decimals(column, target), cast, _as_sent)
        case "datetime" | "timestamp" if column.digits != NOT_FIXED:
            if binary:
                return Bulk(_moments, lambda values: values.view(target), _printed_moments(column))
            return Bulk(_moments_of_text(column), lambda values: values.view(target), _as_sent)
        case "text":
            return Bulk(_same, cast, _counted)
        case "bytes" | "bit" if pt.is_binary(target) or pt.is_large_binary(target):
            return Bulk(_same, cast, pieces_of_each)
    return Bulk(read_each, _same, pieces_of_each)


def _each_once(function: Callable[[bytes], Any], target: pa.DataType) -> Read:
    """A function of a value as one of a column, which is called once for each distinct value."""

    def value(sent: bytes) -> Any:
        try:
            return function(sent)
        except (Reject, ProtocolError):
            return None

    def values(sent: pa.Array) -> pa.Array:
        distinct = sent.dictionary_encode()
        return array([value(one) for one in distinct.dictionary.to_pylist()], target).take(distinct.indices)

    return values


def _cast(values: pa.Array, target: pa.DataType) -> pa.Array:
    """The values as another type; none of them where Arrow refuses one."""
    try:
        return values.cast(target)
    except pa.ArrowInvalid:
        return pa.nulls(len(values), target)


def _same(values: pa.Array) -> pa.Array:
    return values


def _as_sent(sent: pa.Array, _: pa.Array) -> pa.Array:
    return sent


def _counted(sent: pa.Array, _: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(pc.binary_length(sent).cast(pa.string()).cast(pa.binary()), sent, b":")


def _numbers(packed_type: pa.DataType) -> Read:
    zero = bytes(packed_type.bit_width // 8)

    def read(sent: pa.Array) -> pa.Array:
        # All bytes of a column, one value after the other, are what Arrow keeps of numbers too.
        values = pa.Array.from_buffers(packed_type, len(sent), [None, sent.fill_null(zero).buffers()[2]])
        return pc.if_else(sent.is_valid(), values, None)

    return read


def _printed_numbers(_: pa.Array, values: pa.Array) -> pa.Array:
    return values.cast(pa.string())


def _numbers_of_text(column: Column) -> Read:
    own_type = pa.uint64() if column.unsigned and column.size == 8 else pa.int64()

    def read(sent: pa.Array) -> pa.Array:
        text = _cast(sent, pa.string())
        values = _cast(text, own_type)
        # Arrow reads hexadecimal too.
        return pc.if_else(pc.equal(values.cast(pa.string()), text), values, None)

    return read


def _truths(values: pa.Array) -> pa.Array:
    is_truth = pc.is_in(values, pa.array([0, 1], values.type))
    return pc.if_else(is_truth, values.cast(pa.bool_()), None)


def _narrowed(values: pa.Array) -> pa.Array:
    narrow = values.cast(pa.float32(), safe=False)
    is_same = pc.or_(pc.equal(narrow.cast(pa.float64()), values), pc.is_nan(values))
    return pc.if_else(is_same, narrow, None)


def _decimals(column: Column, target: pa.DataType) -> Read:
    """Decimals as their text, which both protocols send: such as the server prints and as fit."""
    whole = "0|[1-9][0-9]*"
    if pt.is_decimal(target):
        # Arrow does not notice all that overflows when it gets more decimals.
        most = target.precision - target.scale
        whole = f"0|[1-9][0-9]{{0,{most - 1}}}" if most else "0"
    fraction = rf"\.[0-9]{{{column.digits}}}" if column.digits else ""

    def read(sent: pa.Array) -> pa.Array:
        text = _cast(sent, pa.string())
        return pc.if_else(pc.match_substring_regex(text, f"^-?({whole}){fraction}$"), text, None)

    return read


_days = _each_once(lambda sent: convert(from_binary(_DATE, sent), _DATE, pa.date32()), pa.date32())
"""Rows have far fewer days than moments."""


def _moments(sent: pa.Array) -> pa.Array:
    parts = sent.fill_null(b"")  # the zero date, which is none
    if not pc.all(pc.is_in(pc.binary_length(parts), _LENGTHS)).as_py():
        return pa.nulls(len(sent), _MOMENT)
    parts = pc.ascii_rpad(parts.view(pa.string()), 11, "\0").view(pa.binary())
    days = _days(pc.binary_slice(parts, 0, 4)).view(pa.int32())
    micros = pc.multiply(days.cast(pa.int64()), _MICROS_PER_DAY)
    for start, packed_type, unit, limit in _CLOCK:
        part = _numbers(packed_type)(pc.binary_slice(parts, start, start + packed_type.bit_width // 8))
        part = pc.if_else(pc.less(part, limit), part.cast(pa.int64()), None)
        micros = pc.add(micros, pc.multiply(part, unit))
    return micros.view(_MOMENT)


def _printed_moments(column: Column) -> Callable[[pa.Array, pa.Array], pa.Array]:
    length = len("2021-06-01 12:00:00") + (column.digits + 1 if column.digits else 0)
    return lambda _, values: pc.binary_slice(values.cast(pa.string()).cast(pa.binary()), 0, length)


def _moments_of_text(column: Column) -> Read:
    printed = _printed_moments(column)

    def read(sent: pa.Array) -> pa.Array:
        # Arrow knows a year 0. Most dates that are none have it, and should not cost the others of their column.
        likely = pc.if_else(pc.starts_with(sent, b"0000-"), None, sent)
        values = _cast(_cast(likely, pa.string()), _MOMENT)
        return pc.if_else(pc.equal(printed(sent, values), sent), values, None)

    return read
