"""Packets out of bytes, and the few encodings that packets are made of."""

from __future__ import annotations

import struct

from mysql_arrow.errors import ProtocolError

_HEADER = 4
_FULL = 0xFF_FFFF
_NO_ROW = 0xFE
"""From this first byte on a packet ends the rows, or is a row that begins with a value of 16 MB."""


class Packets:
    """Bytes that were received and not yet taken."""

    def __init__(self, max_packet: int):
        self._buffer = bytearray()
        self._start = 0
        self._max_packet = max_packet
        self._sequence: int | None = None

    def feed(self, data: bytes) -> None:
        """Take some bytes, split anyhow."""
        del self._buffer[: self._start]
        self._start = 0
        self._buffer += data

    def next(self) -> bytes | None:
        """The next whole packet, its pieces of 16 MB joined; None until more bytes have come."""
        at, pieces, sequences, total = self._start, [], [], 0
        while True:
            if len(self._buffer) - at < _HEADER:
                return None
            length = int.from_bytes(self._buffer[at : at + 3], "little")
            total += length
            if total > self._max_packet:
                raise ProtocolError(f"a packet of {total} bytes is longer than max_packet, {self._max_packet}")
            if len(self._buffer) - at - _HEADER < length:
                return None
            sequences.append(self._buffer[at + 3])
            pieces.append((at + _HEADER, at + _HEADER + length))
            at += _HEADER + length
            if length < _FULL:
                break
        for sequence in sequences:
            if self._sequence is not None and sequence != (self._sequence + 1) % 256:
                raise ProtocolError(f"packet {sequence} follows packet {self._sequence}")
            self._sequence = sequence
        self._start = at
        return b"".join(bytes(self._buffer[start:end]) for start, end in pieces)

    def rows(self, count: int, size: int, overhead: int) -> list[bytes]:
        """Whole packets that are nothing but rows, in one go: of these most results consist.

        What `next` has to judge is left to it: a packet that is out of order, too long, empty, in pieces, or no row.

        Args:
            count: of packets at most.
            size: of these packets, each with an ``overhead``, after which no more are taken.
        """
        found: list[bytes] = []
        at, last, sequence = self._start, len(self._buffer), self._sequence
        head = struct.Struct("<I").unpack_from
        with memoryview(self._buffer) as buffer:
            while sequence is not None and last - at > _HEADER and len(found) < count and size > 0:
                length = head(buffer, at)[0] & _FULL
                start, end = at + _HEADER, at + _HEADER + length
                following = (sequence + 1) % 256
                is_whole = 0 < length < _FULL and length <= self._max_packet and end <= last
                if not is_whole or buffer[at + 3] != following or buffer[start] >= _NO_ROW:
                    break
                found.append(bytes(buffer[start:end]))
                size -= length + overhead
                at, sequence = end, following
        self._start, self._sequence = at, sequence
        return found


class Wire:
    """A packet that is read from its front. Every read is checked."""

    def __init__(self, packet: bytes):
        self.packet, self.at = packet, 0

    @property
    def left(self) -> int:
        """Bytes that were not read yet."""
        return len(self.packet) - self.at

    def take(self, length: int) -> bytes:
        """The next bytes."""
        if self.left < length:
            raise ProtocolError(f"a packet ends early: {length} bytes are wanted, {self.left} are there")
        self.at += length
        return self.packet[self.at - length : self.at]

    def unpack(self, form: str) -> int | float:
        """One number of a `struct` format."""
        value: int | float = struct.unpack(form, self.take(struct.calcsize(form)))[0]
        return value

    def length(self) -> int:
        """A length-encoded integer."""
        marker = self.take(1)[0]
        if marker < 0xFB:
            return marker
        if marker not in (0xFC, 0xFD, 0xFE):
            raise ProtocolError(f"{marker:#04x} begins no length")
        return int.from_bytes(self.take({0xFC: 2, 0xFD: 3, 0xFE: 8}[marker]), "little")

    def string(self) -> bytes:
        """A length-encoded string."""
        return self.take(self.length())

    def nullable_bytes(self) -> bytes | None:
        """A value of a text row."""
        if self.left and self.packet[self.at] == 0xFB:
            self.at += 1
            return None
        return self.string()
