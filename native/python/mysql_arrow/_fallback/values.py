"""Single values: read from either protocol, printed as the server prints them.

A date is a tuple (year, month, day), a moment has hour, minute, second and microseconds too, a TIME is (negative,
hours, minutes, seconds, microseconds): what is no date must be held as well. A decimal is its text.
"""

from __future__ import annotations

import re
import struct
from typing import Any

from mysql_arrow._fallback.columns import Column
from mysql_arrow.errors import ProtocolError

_FORMS = {1: "b", 2: "h", 3: "i", 8: "q", 9: "i", 13: "h"}
_DATE = re.compile(rb"(\d{4})-(\d\d)-(\d\d)")
_MOMENT = re.compile(rb"(\d{4})-(\d\d)-(\d\d) (\d\d):([0-5]\d):([0-5]\d)(?:\.(\d{1,6}))?")
_TIME = re.compile(rb"(-?)(\d{1,9}):([0-5]\d):([0-5]\d)(?:\.(\d{1,6}))?")
_INTEGER = re.compile(rb"-?\d+")
_LONGEST = 60
_PLACES = 15


def from_binary(column: Column, value: bytes) -> Any:
    """A value of a binary row, without the length that stands before it."""
    if column.code in _FORMS:
        form = _FORMS[column.code]
        return struct.unpack("<" + (form.upper() if column.unsigned else form), value)[0]
    if column.kind == "float":
        return struct.unpack("<f", value)[0]
    if column.kind == "double":
        return struct.unpack("<d", value)[0]
    if column.kind == "time":
        return _time(value)
    if column.kind in ("date", "datetime", "timestamp"):
        moment = _moment(value)
        return moment[:3] if column.kind == "date" else moment
    return value


def _moment(value: bytes) -> tuple[int, ...]:
    if len(value) not in (0, 4, 7, 11):
        raise ProtocolError(f"a date of {len(value)} bytes")
    moment: tuple[int, ...] = struct.unpack("<HBBBBBI", value + bytes(11 - len(value)))
    year, month, day, hour, minute, second, micros = moment
    if year > 9999 or month > 99 or day > 99:
        raise ProtocolError("a date beyond 9999-99-99")
    if hour > 23 or minute > 59 or second > 59 or micros > 999_999:
        raise ProtocolError("a moment whose clock shows no time")
    return moment


def _time(value: bytes) -> tuple[Any, ...]:
    if len(value) not in (0, 8, 12):
        raise ProtocolError(f"a time of {len(value)} bytes")
    sign, days, hour, minute, second, micros = struct.unpack("<BIBBBI", value + bytes(12 - len(value)))
    if days > 1000 or hour > 23 or minute > 59 or second > 59 or micros > 999_999:
        raise ProtocolError("a time whose clock shows no time")
    return (sign != 0, days * 24 + hour, minute, second, micros)


def from_text(column: Column, text: bytes) -> Any:
    """A value of a text row."""
    try:
        return _parse(column, text)
    except (ValueError, OverflowError) as error:
        raise ProtocolError(f"column {column.name}: {show(text, column, text=True)} is no {column.mysql}") from error


def _parse(column: Column, text: bytes) -> Any:
    if column.kind in ("int", "year"):
        value = int(_match(_INTEGER, text)[0])
        low, high = (0, 2**64) if column.unsigned and column.size == 8 else (-(2**63), 2**63)
        if not low <= value < high:
            raise ValueError(text)
        return value
    if column.kind == "float":
        return struct.unpack("<f", struct.pack("<f", float(text)))[0]
    if column.kind == "double":
        return float(text)
    if column.kind == "date":
        return tuple(int(part) for part in _match(_DATE, text).groups())
    if column.kind in ("datetime", "timestamp"):
        *parts, fraction = _match(_MOMENT, text).groups()
        return (*(int(part) for part in parts), _micros(fraction))
    if column.kind == "time":
        sign, *parts, fraction = _match(_TIME, text).groups()
        return (bool(sign), *(int(part) for part in parts), _micros(fraction))
    return text


def _match(pattern: re.Pattern[bytes], text: bytes) -> re.Match[bytes]:
    match = pattern.fullmatch(text)
    if not match:
        raise ValueError(text)
    return match


def _micros(fraction: bytes | None) -> int:
    return int((fraction or b"").ljust(6, b"0"))


def printed(value: Any, column: Column) -> bytes:
    """The value as the server prints it."""
    if isinstance(value, float):
        return print_double(value).encode()
    if isinstance(value, int):
        return str(value).encode()
    if column.kind == "decimal":
        sign, digits = (b"-", value[1:]) if value[:1] == b"-" else (b"", value)
        return sign + re.sub(rb"^0+(?=[0-9])", b"", digits)
    if column.kind == "date":
        return b"%04d-%02d-%02d" % value
    if column.kind in ("datetime", "timestamp"):
        return b"%04d-%02d-%02d %02d" % value[:4] + _clock(value[4:], column.digits)
    if column.kind == "time":
        negative, hours, *clock = value
        return (b"-" if negative else b"") + b"%02d" % hours + _clock(tuple(clock), column.digits)
    return bytes(value)


def piece(value: Any, column: Column) -> bytes:
    """What is hashed of a value, without the comma."""
    if column.kind == "text":
        return b"%d:%b" % (len(value), value)
    if column.kind in ("bytes", "bit", "null"):
        return bytes(value).hex().upper().encode()
    if isinstance(value, float):
        return struct.pack("<d", value).hex().upper().encode()
    return printed(value, column)


def _clock(parts: tuple[int, ...], digits: int) -> bytes:
    minutes, seconds, micros = parts
    if digits > 6:
        digits = 6 if micros else 0
    return b":%02d:%02d" % (minutes, seconds) + (b".%06d" % micros)[: digits + 1 if digits else 0]


def print_double(value: float) -> str:
    """The shortest digits that read back as the same double; an exponent beyond 15 places."""
    sign, digits, exponent = _digits(value)
    point = len(digits) + exponent
    # A fraction after 16 digits, which only a double of 17 digits has, is printed without an exponent too.
    if not (1 - _PLACES <= point <= _PLACES or 0 < point < len(digits)):
        mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
        return f"{sign}{mantissa}e{point - 1}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    whole, fraction = digits[:point].ljust(point, "0"), digits[point:]
    return sign + whole + ("." + fraction if fraction else "")


def _digits(value: float) -> tuple[str, str, int]:
    """Sign, digits without zeros at either end, and the exponent of the last digit."""
    mantissa, _, exponent = repr(value).partition("e")
    sign, mantissa = ("-", mantissa[1:]) if mantissa[0] == "-" else ("", mantissa)
    whole, _, fraction = mantissa.partition(".")
    digits, power = (whole + fraction).lstrip("0"), int(exponent or 0) - len(fraction)
    stripped = digits.rstrip("0")
    return (sign, stripped, power + len(digits) - len(stripped)) if stripped else (sign, "0", 0)


def show(value: Any, column: Column, *, text: bool = False) -> str:
    """The value for a person: short; text and dates are quoted, bytes that are no text are hexadecimal."""
    data = value if isinstance(value, bytes) and column.kind != "decimal" else printed(value, column)
    cut, data = len(data) > _LONGEST, data[:_LONGEST]
    dots = "…" if cut else ""
    shown: str | None
    try:
        shown = data.decode()
    except UnicodeDecodeError as error:
        split = cut and error.reason == "unexpected end of data"
        shown = data[: error.start].decode() if split else None
    if shown is None or (column.kind in ("bit", "bytes") and not text):
        return f"0x{data.hex().upper()}{dots}"
    number = isinstance(value, int | float) or (column.kind == "decimal" and not text)
    return shown + dots if number else f"'{shown}{dots}'"
