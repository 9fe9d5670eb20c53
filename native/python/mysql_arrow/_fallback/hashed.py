"""The hashes of rows that are Arrow values already: what is hashed of each is written a column at a time."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

Write = Callable[[pa.Array, int], pa.Array]


def row_hashes(rows: Any, forms: Sequence[tuple[str, str, int]], problems: str | None) -> pa.Array:
    """The hash of each row, as uint64: see `mysql_arrow.row_hashes`."""
    batch = pa.record_batch(rows)
    told = batch[problems] if problems else None
    pieces = [_pieces(batch[name], name, written, digits, told) for name, written, digits in forms]
    return pa.array(halves(joined(pieces)), pa.uint64())


def joined(pieces: Iterable[pa.Array]) -> pa.Array:
    """The text of each row; NULL is written for a piece that is NULL."""
    comma, nothing = pa.scalar(b",", pa.large_binary()), pa.scalar(b"", pa.large_binary())
    options = pc.JoinOptions(null_handling="replace", null_replacement="N")
    return pc.binary_join_element_wise(*pieces, nothing, comma, options=options)


def halves(rows: pa.Array) -> list[int]:
    """The first 8 bytes of the SHA-256 of each row's text."""
    _, offsets, data = rows.buffers()
    bounds = memoryview(offsets).cast("q")[rows.offset : rows.offset + len(rows) + 1].tolist()
    text, sha256 = memoryview(data) if data else memoryview(b""), hashlib.sha256
    digests = [sha256(text[start:end]).digest() for start, end in pairwise(bounds)]
    return [half for (half,) in struct.iter_unpack(">Q24x", b"".join(digests))]


def _pieces(values: pa.Array, name: str, written: str, digits: int, told: pa.Array | None) -> pa.Array:
    write, fits = _WRITE[written]
    if not (pt.is_null(values.type) or any(of_kind(values.type) for of_kind in fits)):
        raise ValueError(f"the column {name!r} is {values.type}, which is not hashed as {written}")
    pieces = write(values, digits).cast(pa.large_binary())
    if told is None or told.null_count == len(told):
        return pieces
    is_unreadable = pc.match_substring_regex(told, rf"(^|; ){name}: ").fill_null(False)
    return pc.if_else(pc.and_(is_unreadable, values.is_null()), pa.scalar(b"U", pa.large_binary()), pieces)


def _text(values: pa.Array, _: int) -> pa.Array:
    text = values.cast(pa.large_string()).cast(pa.large_binary())
    length = pc.binary_length(text).cast(pa.large_string()).cast(pa.large_binary())
    return pc.binary_join_element_wise(length, text, pa.scalar(b":", pa.large_binary()))


def _bytes(values: pa.Array, _: int) -> pa.Array:
    return _each(values, lambda value: value.hex().upper().encode())


def _bits(values: pa.Array, size: int) -> pa.Array:
    return _each(values, lambda value: b"%0*X" % (2 * size, int(value)))


def _floats(values: pa.Array, _: int) -> pa.Array:
    return _each(values, lambda value: struct.pack("<d", value).hex().upper().encode())


def _plain(values: pa.Array, _: int) -> pa.Array:
    if pt.is_boolean(values.type):
        values = values.cast(pa.int8())
    # Arrow would write a decimal of many zeros with an exponent.
    if pt.is_decimal(values.type) and values.type.scale:
        return _each(values, lambda value: f"{value:f}".encode())
    return values.cast(pa.large_string())


def _moments(values: pa.Array, digits: int) -> pa.Array:
    length = len("2021-06-01 12:00:00") + (digits + 1 if digits else 0)
    text = values.cast(pa.timestamp("us")).cast(pa.string()).cast(pa.binary())
    return pc.binary_slice(text, 0, length)


def _each(values: pa.Array, function: Callable[[Any], bytes]) -> pa.Array:
    written = [None if value is None else function(value) for value in values.to_pylist()]
    return pa.array(written, pa.large_binary())


_BINARY = (pt.is_binary, pt.is_large_binary)
_PRINTED = (pt.is_boolean, pt.is_integer, pt.is_decimal, pt.is_date32, pt.is_string, pt.is_large_string)

_WRITE: dict[str, tuple[Write, tuple[Callable[[pa.DataType], bool], ...]]] = {
    "text": (_text, (pt.is_string, pt.is_large_string)),
    "bytes": (_bytes, _BINARY),
    "bits": (_bits, (pt.is_boolean, pt.is_integer, pt.is_decimal)),
    "float": (_floats, (pt.is_floating,)),
    "zeros": (_plain, _PRINTED),
    "plain": (_plain, _PRINTED),
    "moment": (_moments, (pt.is_timestamp,)),
}
"""By form: what writes a column, and the types that it can be of."""
