"""Column definitions, and the Arrow type that each column becomes."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.types as pt

from mysql_arrow._fallback.wire import Wire
from mysql_arrow.errors import ProtocolError, SchemaMismatch, TypeRefused

UNSIGNED, ENUM, SET = 0x20, 0x100, 0x800
NOT_FIXED = 31
MAX_DIGITS = 38
_BINARY = 63

_INTS = {1: 1, 2: 2, 3: 4, 8: 8, 9: 3}
_INT_NAMES = {1: "TINYINT", 2: "SMALLINT", 3: "MEDIUMINT", 4: "INT", 8: "BIGINT"}
_SIGNED = {1: pa.int8(), 2: pa.int16(), 3: pa.int32(), 4: pa.int32(), 8: pa.int64()}
_UNSIGNED = {1: pa.uint8(), 2: pa.uint16(), 3: pa.uint32(), 4: pa.uint32(), 8: pa.uint64()}
_SIMPLE = {4: "float", 5: "double", 6: "null", 7: "timestamp", 10: "date", 14: "date", 11: "time", 12: "datetime"}
_UTF8 = [(11, 12), (65, 66), (33, 34), (45, 47), (76, 77), (83, 84), (192, 248), (255, 324), (576, 640), (2048, 2560)]


@dataclass(frozen=True)
class Column:
    """A column of the result.

    Attributes:
        name: as the statement names it.
        code: the protocol's number of its type.
        kind: ``int``, ``year``, ``float``, ``double``, ``decimal``, ``date``, ``datetime``, ``timestamp``, ``time``,
            ``bit``, ``text``, ``bytes`` or ``null``.
        size: bytes of an integer, digits of a decimal, bits.
        digits: decimals, or digits of a second's fraction.
    """

    name: str
    code: int
    kind: str
    size: int = 0
    digits: int = 0
    unsigned: bool = False

    @property
    def mysql(self) -> str:
        """The type for a person."""
        if self.kind == "int":
            return _INT_NAMES[self.size] + (" UNSIGNED" if self.unsigned else "")
        arguments = {
            "decimal": f"DECIMAL({self.size},{self.digits})",
            "datetime": f"DATETIME({self.digits})",
            "timestamp": f"TIMESTAMP({self.digits})",
            "time": f"TIME({self.digits})",
            "bit": f"BIT({self.size})",
        }
        return arguments.get(self.kind, self.kind if self.kind in ("text", "bytes") else self.kind.upper())


def parse(packet: bytes) -> Column:
    """A column out of its definition."""
    wire = Wire(packet)
    for _ in ("catalog", "schema", "table", "original table"):
        wire.string()
    name = wire.string().decode("utf-8", "replace")
    wire.string()
    wire.length()
    charset, length, code, flags, decimals = (int(wire.unpack(form)) for form in ("<H", "<I", "<B", "<H", "<B"))
    unsigned = bool(flags & UNSIGNED)
    if code in _INTS:
        return Column(name, code, "int", _INTS[code], unsigned=unsigned)
    if code in (0, 246):
        size = max(min(max(length - (decimals > 0) - (not unsigned), 0), 255), decimals, 1)
        return Column(name, code, "decimal", size, decimals)
    if code in _SIMPLE:
        digits = NOT_FIXED if decimals >= NOT_FIXED else min(decimals, 6)
        return Column(name, code, _SIMPLE[code], digits=digits if code in (7, 11, 12) else 0)
    if code == 13:
        return Column(name, code, "year", unsigned=True)
    if code == 16:
        return Column(name, code, "bit", length)
    if code in (242, 255):
        return Column(name, code, "bytes")
    if code in (245, 247, 248):
        return Column(name, code, "text")
    if code == 15 or 249 <= code <= 254:
        return Column(name, code, _characters(name, charset, flags))
    raise ProtocolError(f"column {name} has type {code}, which is unknown")


def _characters(name: str, charset: int, flags: int) -> str:
    if charset == _BINARY:
        return "text" if flags & (ENUM | SET) else "bytes"
    number = charset & ~1024 if charset < 2048 else charset
    if any(first <= number < end for first, end in _UTF8):
        return "text"
    reason = f"it is sent in character set {charset}, not utf8mb4; SET NAMES utf8mb4 first"
    raise TypeRefused(f"column {name}: text cannot become text: {reason}", name, "text", "text")


def resolve(columns: list[Column], target: pa.Schema | None) -> pa.Schema:
    """The schema of the batches: the one that is wanted, if the columns fit it, or the natural one."""
    if target is None:
        return pa.schema([pa.field(column.name, natural(column)) for column in columns])
    found, wanted = [column.name for column in columns], target.names
    if found != wanted:
        raise SchemaMismatch(f"the schema does not fit the result: it has the columns {wanted}, the result has {found}")
    for column, field in zip(columns, target, strict=True):
        if reason := _refusal(column, field.type):
            message = f"column {column.name}: {column.mysql} cannot become {field.type}: {reason}"
            raise TypeRefused(message, column.name, column.mysql, str(field.type))
    return target


def natural(column: Column) -> pa.DataType:
    """The type that holds a column's values when nobody asks for another one."""
    if column.kind == "int":
        return (_UNSIGNED if column.unsigned else _SIGNED)[column.size]
    if column.kind == "decimal":
        return pa.decimal128(column.size, column.digits) if column.size <= MAX_DIGITS else pa.string()
    simple: dict[str, pa.DataType] = {
        "null": pa.null(),
        "year": pa.int16(),
        "float": pa.float32(),
        "double": pa.float64(),
        "date": pa.date32(),
        "datetime": pa.timestamp("us"),
        "timestamp": pa.timestamp("us", tz="UTC"),
        "time": pa.duration("us"),
        "bit": pa.binary(),
        "bytes": pa.binary(),
        "text": pa.string(),
    }
    return simple[column.kind]


def packed(column: Column) -> pa.DataType | None:
    """The type of the numbers that a binary row holds as they are; None where a value has its length before it."""
    if column.kind == "year":
        return pa.uint16()
    return natural(column) if column.kind in ("int", "float", "double") else None


def _refusal(column: Column, target: pa.DataType) -> str | None:
    """Why no value of the column can go into the type."""
    if not _is_known(target):
        return "no MySQL type becomes this"
    if column.kind == "decimal" and pt.is_decimal(target) and target.scale < column.digits:
        return "its scale would lose digits"
    if column.kind == "decimal" and pt.is_integer(target) and column.digits > 0:
        return "an integer would lose digits"
    strings = pt.is_string(target) or pt.is_large_string(target)
    binaries = pt.is_binary(target) or pt.is_large_binary(target)
    numbers = pt.is_integer(target) or pt.is_decimal(target)
    fits = {
        "null": True,
        "int": numbers or pt.is_boolean(target),
        "year": pt.is_integer(target),
        "float": pt.is_floating(target),
        "double": pt.is_floating(target),
        "decimal": numbers or strings,
        "date": pt.is_date(target),
        "datetime": pt.is_timestamp(target),
        "timestamp": pt.is_timestamp(target),
        "time": pt.is_duration(target) or pt.is_int64(target) or strings,
        "bit": numbers or binaries or (column.size == 1 and pt.is_boolean(target)),
        "text": strings or binaries,
        "bytes": binaries,
    }
    return None if fits[column.kind] else "its values are of another nature"


def _is_known(target: pa.DataType) -> bool:
    if pt.is_timestamp(target):
        return target.unit == "us" and target.tz in (None, "UTC", "+00:00", "Etc/UTC", "Z")
    if pt.is_decimal(target):
        return bool(pt.is_decimal128(target) and 0 <= target.scale <= target.precision)
    known = {pa.null(), pa.bool_(), pa.float32(), pa.float64(), pa.date32(), pa.duration("us")}
    known |= {pa.string(), pa.large_string(), pa.binary(), pa.large_binary()}
    return target in known or bool(pt.is_integer(target))
