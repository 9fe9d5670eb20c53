"""The state machine of a reply: header, columns, rows, end."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from mysql_arrow._fallback.cells import Cell
from mysql_arrow._fallback.columns import Column, parse, resolve
from mysql_arrow._fallback.values import from_binary, from_text, printed
from mysql_arrow._fallback.wire import Packets, Wire
from mysql_arrow.errors import ProtocolError, SchemaMismatch, ServerError
from mysql_arrow.stats import Stats

_MAX_COLUMNS = 65_535
_MORE_RESULTS = 8
_LIMITS = {"rows_per_batch": 1 << 24, "bytes_per_batch": 256 << 20, "max_packet": 1 << 30}


class Decoder:
    """Bytes of a reply in, record batches out. The options are those of the extension's class."""

    def __init__(
        self,
        *,
        protocol: str = "binary",
        schema: Any = None,
        rows_per_batch: int = 65_536,
        bytes_per_batch: int = 16 << 20,
        max_packet: int = 1 << 30,
        dates: str = "error",
        text: str = "error",
        range: str = "error",
        columns: Mapping[str, str] | None = None,
        problems: str | None = None,
        hashes: bool = False,
        discard: bool = False,
    ):
        if protocol not in ("binary", "text"):
            raise ValueError(f"{protocol!r} is no protocol; known are binary, text")
        limits = {"rows_per_batch": rows_per_batch, "bytes_per_batch": bytes_per_batch, "max_packet": max_packet}
        for name, value in limits.items():
            if not 1 <= value <= _LIMITS[name]:
                raise ValueError(f"{name}={value} is not between 1 and {_LIMITS[name]}")
        self._policies = {"dates": dates, "text": text, "range": range}
        for name, policy in self._policies.items():
            known = ["error", "null", "problem", *(["replace"] if name == "text" else [])]
            if policy not in known:
                raise ValueError(f"{name}={policy!r} is no policy; known are {', '.join(known)}")
        self._exceptions = dict(columns or {})
        for name, policy in self._exceptions.items():
            if policy not in ("error", "null", "problem"):
                raise ValueError(f"columns[{name!r}]={policy!r} is no policy; known are error, null, problem")
        if "problem" in {*self._policies.values(), *self._exceptions.values()} and problems is None:
            raise ValueError("the policy 'problem' needs `problems`, the name of a column")
        self._binary = protocol == "binary"
        self._target = None if schema is None else pa.schema(schema)
        self._limits, self._problems_name = limits, problems
        self._hashes, self._discard = hashes, discard
        self._packets = Packets(max_packet)
        self._state = "header"
        self._left = 0
        self._columns: list[Column] = []
        self._cells: list[Cell] = []
        self._problems: list[str | None] = []
        self._rows = self._bytes = self._in_batch = self._batch_bytes = 0
        self._warnings = self._extra_results = 0
        self._schema: pa.Schema | None = None
        self._hash_sum = 0

    def feed(self, data: bytes) -> None:
        """Take some of the reply's bytes, split anyhow."""
        self._packets.feed(data)

    def batches(self) -> list[pa.RecordBatch]:
        """The batches that are complete; after the reply's end also the last, shorter one."""
        found = []
        while (batch := self.next_batch()) is not None:
            found.append(batch)
        return found

    @property
    def schema(self) -> pa.Schema | None:
        """The schema of the batches; None until the columns are known."""
        return self._schema

    @property
    def finished(self) -> bool:
        """Whether the reply has ended and every batch was taken."""
        return self._state == "done" and not self._in_batch

    @property
    def stats(self) -> Stats:
        """What was read so far."""
        nulled = {cell.column.name: cell.nulled for cell in self._cells if cell.nulled}
        replaced = {cell.column.name: cell.replaced for cell in self._cells if cell.replaced}
        return Stats(self._rows, self._bytes, self._warnings, self._extra_results, nulled, replaced)

    @property
    def hash_sum(self) -> int:
        """The sum of the hashes of the rows read so far."""
        return self._hash_sum

    def next_batch(self) -> pa.RecordBatch | None:
        """The next batch, or None until more bytes have come or because all is read."""
        while True:
            full = self._in_batch >= self._limits["rows_per_batch"]
            full = full or self._batch_bytes >= self._limits["bytes_per_batch"]
            if full or (self._state == "done" and self._in_batch):
                return self._finish()
            if self._state == "done" or not self.step():
                return None

    def step(self) -> bool:
        """Take one packet. False if none is whole."""
        try:
            packet = self._packets.next()
            if packet is not None:
                self._take(packet)
        except Exception:
            self._state = "failed"
            raise
        return packet is not None

    def _take(self, packet: bytes) -> None:
        if self._state == "failed":
            raise ProtocolError("the decoder has failed before")
        self._bytes += len(packet) + 4
        if self._state == "header":
            self._take_header(packet)
        elif self._state == "columns":
            self._columns.append(parse(packet))
            self._left -= 1
            if not self._left:
                self._state = "after columns"
                if self._schema is None:
                    self._begin_rows()
        elif self._state == "after columns" and len(packet) == 5 and packet[0] == 0xFE:
            self._state = "rows"  # an EOF packet; with CLIENT_DEPRECATE_EOF there is none, and the end is longer
        else:
            self._state = "rows"
            self._take_row(packet)

    def _take_header(self, packet: bytes) -> None:
        marker = packet[0] if packet else 0xFB
        if marker == 0xFF:
            raise _server_error(packet)
        if marker == 0:
            self._end(packet)
            return
        wire = Wire(packet)
        self._left = wire.length() if marker != 0xFB else 0
        if not 0 < self._left <= _MAX_COLUMNS or wire.left:
            raise ProtocolError(f"a reply begins with {marker:#04x}")
        self._columns, self._state = [], "columns"
        self._extra_results += self._schema is not None

    def _begin_rows(self) -> None:
        schema = resolve(self._columns, self._target)
        names = {column.name for column in self._columns}
        if unknown := [name for name in self._exceptions if name not in names]:
            raise SchemaMismatch(
                f"the schema does not fit the result: it has no column {unknown[0]!r}, for which there is a policy"
            )
        if not self._discard:
            pairs = zip(self._columns, schema, strict=True)
            self._cells = [Cell(column, field, self._policies_of(column)) for column, field in pairs]
        if self._problems_name is not None:
            if self._problems_name in schema.names:
                raise SchemaMismatch(
                    f"it has a column {self._problems_name!r}, which is also the name for the problems"
                )
            schema = schema.append(pa.field(self._problems_name, pa.string()))
        self._schema = schema

    def _policies_of(self, column: Column) -> dict[str, str]:
        own = self._exceptions.get(column.name)
        return dict.fromkeys(self._policies, own) if own else self._policies

    def _take_row(self, packet: bytes) -> None:
        marker = packet[0] if packet else -1
        if marker == 0xFE and len(packet) < 0xFF_FFFF:
            self._end(packet)
            return
        if marker == 0xFF:
            raise _server_error(packet)
        if self._extra_results:
            return
        self._rows += 1
        if self._discard:
            return
        values = self._binary_values(packet) if self._binary else self._text_values(packet)
        told = [problem for cell, value in zip(self._cells, values, strict=True) if (problem := _push(cell, value))]
        # Texts come last, as with the extension, which looks at them when the batch is complete.
        told.sort(key=lambda problem: problem.endswith(" is no text"))
        self._problems.append("; ".join(told) or None)
        if self._hashes:
            row = b"".join(_piece(cell.column, value) for cell, value in zip(self._cells, values, strict=True))
            self._hash_sum += int.from_bytes(hashlib.md5(row, usedforsecurity=False).digest()[:8], "big")
        self._in_batch += 1
        self._batch_bytes += len(packet) + 8 * len(self._cells)

    def _binary_values(self, packet: bytes) -> list[Any]:
        wire = Wire(packet)
        if wire.take(1) != b"\0":
            raise ProtocolError("a binary row begins with 0x00")
        nulls = int.from_bytes(wire.take((len(self._cells) + 9) // 8), "little") >> 2
        values = [None if nulls >> at & 1 else from_binary(cell.column, wire) for at, cell in enumerate(self._cells)]
        _at_end(wire)
        return values

    def _text_values(self, packet: bytes) -> list[Any]:
        wire = Wire(packet)
        values: list[Any] = []
        for cell in self._cells:
            text = wire.nullable_bytes()
            values.append(None if text is None else from_text(cell.column, text))
        _at_end(wire)
        return values

    def _finish(self) -> pa.RecordBatch:
        arrays = [cell.finish() for cell in self._cells]
        if self._problems_name is not None:
            arrays.append(pa.array(self._problems, pa.string()))
        self._problems, self._in_batch, self._batch_bytes = [], 0, 0
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _end(self, packet: bytes) -> None:
        wire = Wire(packet)
        wire.take(1)
        if len(packet) == 5:
            self._warnings, status = int(wire.unpack("<H")), int(wire.unpack("<H"))
        else:
            wire.length()
            wire.length()
            status, self._warnings = int(wire.unpack("<H")), int(wire.unpack("<H"))
        self._state = "header" if status & _MORE_RESULTS else "done"


def _push(cell: Cell, value: Any) -> str | None:
    if value is None:
        cell.push_null()
        return None
    return cell.push(value)


def _piece(column: Column, value: Any) -> bytes:
    if value is None:
        return b"N,"
    if column.kind == "text":
        return b"%d:%b," % (len(value), value)
    if column.kind in ("bytes", "bit", "null"):
        return bytes(value).hex().upper().encode() + b","
    return printed(value, column) + b","


def _at_end(wire: Wire) -> None:
    if wire.left:
        raise ProtocolError(f"a row has {wire.left} bytes after its last column")


def _server_error(packet: bytes) -> ServerError:
    errno = struct.unpack("<H", packet[1:3].ljust(2, b"\0"))[0]
    message, sqlstate = packet[3:], "HY000"
    if message[:1] == b"#" and len(message) >= 6:
        sqlstate, message = message[1:6].decode("utf-8", "replace"), message[6:]
    return ServerError(errno, sqlstate, message.decode("utf-8", "replace"))
