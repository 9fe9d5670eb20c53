"""Single values into the Arrow type that the schema wants, and why one does not fit."""

from __future__ import annotations

import datetime
import decimal
import math
import re
from typing import Any

import pyarrow as pa
import pyarrow.types as pt

from mysql_arrow._fallback.columns import Column
from mysql_arrow._fallback.values import printed

_EPOCH = datetime.date(1970, 1, 1).toordinal()
_NUMBER = re.compile(rb"-?(\d+\.?\d*|\.\d+)")


class Reject(Exception):
    """A column does not take a value; the argument is ``dates``, ``range``, ``text`` or ``nature``."""


def convert(value: Any, column: Column, target: pa.DataType) -> Any:
    """The value as pyarrow takes it for the type; days and microseconds as integers."""
    if pt.is_null(target):
        raise Reject("nature")
    if pt.is_boolean(target):
        number = value if isinstance(value, int) else int.from_bytes(value, "big")
        if number not in (0, 1):
            raise Reject("range" if isinstance(value, int) else "nature")
        return number == 1
    if column.kind == "time":
        return _span(value) if not is_text(target) else printed(value, column).decode()
    if pt.is_integer(target):
        return _ranged(_integer(value, column), target)
    if pt.is_floating(target):
        return _floating(value, column, target)
    if pt.is_decimal(target):
        return _decimal(value, column, target)
    if pt.is_date(target):
        return _days(value)
    if pt.is_timestamp(target):
        return _days(value[:3]) * 86_400_000_000 + _micros(value[3:])
    if column.kind == "decimal":
        if not _NUMBER.fullmatch(value):
            raise Reject("nature")
        return printed(value, column).decode()
    if not is_text(target):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Reject("text") from None


def array(values: list[Any], target: pa.DataType) -> pa.Array:
    """What `convert` made of some values, None among them, as an array."""
    if pt.is_date(target):
        return pa.array(values, pa.int32()).view(target)
    if pt.is_timestamp(target) or pt.is_duration(target):
        return pa.array(values, pa.int64()).view(target)
    return pa.array(values, target)


def is_text(target: pa.DataType) -> bool:
    """Whether the type is one of UTF-8."""
    return bool(pt.is_string(target) or pt.is_large_string(target))


def _integer(value: Any, column: Column) -> int:
    if column.kind == "decimal":
        if not _NUMBER.fullmatch(value):
            raise Reject("nature")
        number = decimal.Decimal(value.decode())
        if number != number.to_integral_value():
            raise Reject("range")
        return int(number)
    if isinstance(value, bytes):
        if len(value) > 8:
            raise Reject("nature")
        return int.from_bytes(value, "big")
    return int(value)


def _ranged(value: int, target: pa.DataType) -> int:
    bits = target.bit_width
    low, high = (-(1 << bits - 1), 1 << bits - 1) if pt.is_signed_integer(target) else (0, 1 << bits)
    if not low <= value < high:
        raise Reject("range")
    return value


def _floating(value: float, column: Column, target: pa.DataType) -> float:
    # A double that is no float would lose digits.
    narrows = pt.is_float32(target) and column.kind == "double" and not math.isnan(value)
    if narrows and pa.scalar(value, pa.float64()).cast(pa.float32(), safe=False).as_py() != value:
        raise Reject("range")
    return value


def _decimal(value: Any, column: Column, target: pa.DataType) -> decimal.Decimal:
    if column.kind == "decimal" and not _NUMBER.fullmatch(value):
        raise Reject("nature")
    with decimal.localcontext(prec=100):
        number = decimal.Decimal(value.decode() if column.kind == "decimal" else _integer(value, column))
        scaled = number.scaleb(target.scale)
        if scaled != scaled.to_integral_value() or abs(scaled) >= decimal.Decimal(10) ** target.precision:
            raise Reject("range")
        return number


def _days(date: tuple[int, ...]) -> int:
    try:
        return datetime.date(*date).toordinal() - _EPOCH
    except ValueError:
        raise Reject("dates") from None


def _micros(clock: tuple[int, ...]) -> int:
    hour, minute, second, micros = clock
    if hour > 23:
        raise Reject("dates")
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros


def _span(time: tuple[Any, ...]) -> int:
    negative, hours, minutes, seconds, micros = time
    span: int = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros
    return -span if negative else span
