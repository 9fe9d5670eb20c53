"""Rows into columns: the bytes of each value, cut out of all rows of a batch at once.

A row tells only from left to right where its values are. So there is a place in every row, all places move from column
to column together, and Arrow does at all of them what is to be done. Rows that do not add up this way are cut anew one
by one, which is slow and says what is wrong with which.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mysql_arrow._fallback.columns import Column, packed
from mysql_arrow._fallback.wire import Wire
from mysql_arrow.errors import ProtocolError

_NULL, _TWO_BYTES, _THREE_BYTES = 0xFB, 0xFC, 0xFD
"""First bytes of what is no string of less than 251 bytes: NULL in a text row, lengths in the bytes that follow."""

_RESERVED = 2
"""Bits of a binary row's bitmap that stand before the first column's."""


class _Uneven(Exception):
    """A row is more or less than its values, or one of these has 16 MB."""


def cut(packets: list[bytes], columns: list[Column], *, binary: bool) -> list[pa.Array]:
    """The values of each column as they were sent, without the lengths before them, in arrays of ``binary``.

    Raises:
        ProtocolError: a row is more or less than its values.
    """
    types = [packed(column) if binary else None for column in columns]
    widths = [type_ and type_.bit_width // 8 for type_ in types]
    try:
        return _cut_together(packets, widths, binary)
    except (_Uneven, pa.ArrowIndexError):
        rows = [_cut_row(Wire(packet), widths, binary) for packet in packets]
        return [pa.array(values, pa.binary()) for values in zip(*rows, strict=True)]


def _cut_row(wire: Wire, widths: list[int | None], binary: bool) -> list[bytes | None]:
    if binary:
        if wire.take(1) != b"\0":
            raise ProtocolError("a binary row begins with 0x00")
        nulls = int.from_bytes(wire.take(_bitmap_size(len(widths))), "little") >> _RESERVED
        values = [
            None if nulls >> at & 1 else wire.string() if width is None else wire.take(width)
            for at, width in enumerate(widths)
        ]
    else:
        values = [wire.nullable_bytes() for _ in widths]
    if wire.left:
        raise ProtocolError(f"a row has {wire.left} bytes after its last column")
    return values


def _bitmap_size(columns: int) -> int:
    return (columns + _RESERVED + 7) // 8


def _cut_together(packets: list[bytes], widths: list[int | None], binary: bool) -> list[pa.Array]:
    places = _Places(packets)
    if binary:
        columns = zip(widths, places.bitmap(len(widths)), strict=True)
        values = [places.string(valid) if width is None else places.number(width, valid) for width, valid in columns]
    else:
        values = [places.text() for _ in widths]
    places.check_ends()
    return values


class _Places:
    """A place in each row, which moves behind what is read there."""

    def __init__(self, packets: list[bytes]):
        rows = pa.array(packets, pa.binary())
        lengths = pc.binary_length(rows).cast(pa.int64())
        self._ends = pc.cumulative_sum(lengths)
        self._at = pc.subtract(self._ends, lengths)
        self._data = rows.buffers()[2]
        self._bytes = pa.Array.from_buffers(pa.uint8(), self._ends[-1].as_py(), [None, self._data])
        self._even = pc.cumulative_sum(pa.repeat(2, len(rows)), start=-2)

    def bitmap(self, columns: int) -> list[pa.Array]:
        """What a binary row begins with: by column, whether there is a value."""
        if pc.max(self._bytes.take(self._at)).as_py() != 0:
            raise _Uneven
        octets = [self._bytes.take(pc.add(self._at, 1 + at)) for at in range(_bitmap_size(columns))]
        self._move(1 + len(octets))
        return [
            pc.equal(pc.bit_wise_and(octets[bit // 8], pa.scalar(1 << bit % 8, pa.uint8())), 0)
            for bit in range(_RESERVED, columns + _RESERVED)
        ]

    def number(self, width: int, valid: pa.Array) -> pa.Array:
        """A number of a binary row."""
        return self._take(pc.if_else(valid, width, 0), valid)

    def string(self, valid: pa.Array) -> pa.Array:
        """A string of a binary row."""
        # In the place of a NULL the first byte of all is read, which is 0, like the length of nothing.
        at = pc.if_else(valid, self._at, 0)
        return self._string(at, self._first(at), pc.if_else(valid, 1, 0), valid)

    def text(self) -> pa.Array:
        """A string of a text row."""
        first = self._first(self._at)
        valid = pc.not_equal(first, _NULL)
        return self._string(self._at, pc.if_else(valid, first, 0), 1, valid)

    def check_ends(self) -> None:
        """Nothing comes after the last values."""
        if not self._at.equals(self._ends):
            raise _Uneven

    def _first(self, at: pa.Array) -> pa.Array:
        return self._bytes.take(at).cast(pa.int64())

    def _string(self, at: pa.Array, first: pa.Array, sizes: Any, valid: pa.Array) -> pa.Array:
        """Strings, each behind its length.

        Args:
            at: where the lengths begin.
            first: the bytes there: the lengths themselves, up to 250.
            sizes: how many bytes such a length has.
        """
        longest = pc.max(first).as_py()
        if longest < _NULL:
            self._move(sizes)
            return self._take(first, valid)
        if longest > _THREE_BYTES or pc.any(pc.equal(first, _NULL)).as_py():
            raise _Uneven
        is_long = pc.greater(first, _NULL)
        low, middle, high = (self._first(pc.add(at.filter(is_long), byte)) for byte in (1, 2, 3))
        high = pc.if_else(pc.equal(first.filter(is_long), _THREE_BYTES), high, 0)
        long = pc.add(low, pc.add(pc.multiply(middle, 1 << 8), pc.multiply(high, 1 << 16)))
        self._move(pc.if_else(is_long, pc.subtract(first, _TWO_BYTES - 3), sizes))
        return self._take(pc.replace_with_mask(first, is_long, long), valid)

    def _take(self, lengths: pa.Array, valid: pa.Array) -> pa.Array:
        """So many bytes of each row, or NULL."""
        starts = self._at
        self._move(lengths)
        # An array of value, gap, value, gap ...: start and end, 32 bits each, are two of its offsets side by side. They
        # have room: a batch is shorter than 2 GiB, with the packet that makes it full too.
        offsets = pc.bit_wise_or(starts, pc.shift_left(self._at, 32)).buffers()[1]
        alternating = pa.Array.from_buffers(pa.binary(), 2 * len(starts) - 1, [None, offsets, self._data])
        return alternating.take(pc.if_else(valid, self._even, None))

    def _move(self, sizes: Any) -> None:
        self._at = pc.add(self._at, sizes)
        if pc.any(pc.greater(self._at, self._ends)).as_py():
            raise _Uneven
