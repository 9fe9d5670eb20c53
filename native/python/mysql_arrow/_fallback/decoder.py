"""The state machine of a reply: header, columns, rows, end."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from mysql_arrow._fallback.cells import Cell
from mysql_arrow._fallback.columns import Column, parse, resolve
from mysql_arrow._fallback.rows import Rows
from mysql_arrow._fallback.wire import Packets, Wire
from mysql_arrow.errors import ProtocolError, SchemaMismatch, ServerError
from mysql_arrow.stats import Stats

_MAX_COLUMNS = 65_535
_MORE_RESULTS = 8
_HEADER = 4
_LIMITS = {"rows_per_batch": 1 << 24, "bytes_per_batch": 256 << 20, "max_packet": 1 << 30}
_ANY_ROOM = (1 << 16, 16 << 20, 0)
"""For rows that are only counted."""


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
        self._rows: Rows | None = None
        self._row_count = self._bytes = self._warnings = self._extra_results = 0
        self._schema: pa.Schema | None = None

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
        return self._state == "done" and (self._rows is None or self._rows.is_empty)

    @property
    def stats(self) -> Stats:
        """What was read so far."""
        cells = self._rows.cells if self._rows else []
        nulled = {cell.column.name: cell.nulled for cell in cells if cell.nulled}
        replaced = {cell.column.name: cell.replaced for cell in cells if cell.replaced}
        return Stats(self._row_count, self._bytes, self._warnings, self._extra_results, nulled, replaced)

    @property
    def hash_sum(self) -> int:
        """The sum of the hashes of the rows of the batches so far."""
        return self._rows.hash_sum if self._rows else 0

    def next_batch(self) -> pa.RecordBatch | None:
        """The next batch, or None until more bytes have come or because all is read."""
        while True:
            rows, is_done = self._rows, self._state == "done"
            if rows and (rows.is_full or (is_done and not rows.is_empty)):
                with self._failing():
                    return rows.finish()
            if is_done or not self.step():
                return None

    def step(self) -> bool:
        """Take a packet, or as many rows as have come. False if nothing is whole."""
        with self._failing():
            if self._state == "rows":
                packets = self._packets.rows(*(self._rows.room if self._rows else _ANY_ROOM))
                if packets:
                    self._take_rows(packets)
                    return True
            packet = self._packets.next()
            if packet is not None:
                self._take(packet)
        return packet is not None

    @contextmanager
    def _failing(self) -> Iterator[None]:
        if self._state == "failed":
            raise ProtocolError("the decoder has failed before")
        try:
            yield
        except Exception:
            self._state = "failed"
            raise

    def _take(self, packet: bytes) -> None:
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
        elif packet[:1] == b"\xfe" and len(packet) < 0xFF_FFFF:
            self._end(packet)
        elif packet[:1] == b"\xff":
            raise _server_error(packet)
        else:
            self._state = "rows"
            self._take_rows([packet])
            return
        self._bytes += len(packet) + _HEADER

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
        if self._problems_name is not None:
            if self._problems_name in schema.names:
                raise SchemaMismatch(
                    f"it has a column {self._problems_name!r}, which is also the name for the problems"
                )
            schema = schema.append(pa.field(self._problems_name, pa.string()))
        self._schema = schema
        if not self._discard:
            cells = [self._cell(column, schema.field(at)) for at, column in enumerate(self._columns)]
            most_rows, most_bytes = self._limits["rows_per_batch"], self._limits["bytes_per_batch"]
            self._rows = Rows(cells, schema, binary=self._binary, most_rows=most_rows, most_bytes=most_bytes)

    def _cell(self, column: Column, field: pa.Field) -> Cell:
        own = self._exceptions.get(column.name)
        policies = dict.fromkeys(self._policies, own) if own else self._policies
        return Cell(column, field, policies, binary=self._binary, hashes=self._hashes)

    def _take_rows(self, packets: list[bytes]) -> None:
        self._bytes += sum(map(len, packets)) + _HEADER * len(packets)
        if self._extra_results:
            return
        self._row_count += len(packets)
        if self._rows:
            self._rows.push(packets)

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


def _server_error(packet: bytes) -> ServerError:
    errno = struct.unpack("<H", packet[1:3].ljust(2, b"\0"))[0]
    message, sqlstate = packet[3:], "HY000"
    if message[:1] == b"#" and len(message) >= 6:
        sqlstate, message = message[1:6].decode("utf-8", "replace"), message[6:]
    return ServerError(errno, sqlstate, message.decode("utf-8", "replace"))
