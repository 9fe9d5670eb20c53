"""Replies made by hand, as a server would send them."""

from __future__ import annotations

import struct
from collections.abc import Callable


def framed(payloads: list[bytes]) -> bytes:
    """Packets with their headers, counted from 1."""
    data, sequence = b"", 1
    for payload in payloads:
        while True:
            piece, payload = payload[:0xFF_FFFF], payload[0xFF_FFFF:]
            data += len(piece).to_bytes(3, "little") + bytes([sequence % 256]) + piece
            sequence += 1
            if len(piece) < 0xFF_FFFF:
                break
    return data


def string(value: bytes) -> bytes:
    """A length-encoded string."""
    if len(value) < 0xFB:
        return bytes([len(value)]) + value
    if len(value) < 1 << 16:
        return b"\xfc" + len(value).to_bytes(2, "little") + value
    return b"\xfd" + len(value).to_bytes(3, "little") + value


def column(name: str, code: int, *, charset: int = 45, length: int = 20, flags: int = 0, decimals: int = 0) -> bytes:
    """A column definition."""
    names = b"".join(string(part) for part in (b"def", b"s", b"t", b"t", name.encode(), name.encode()))
    return names + b"\x0c" + struct.pack("<HIBHBH", charset, length, code, flags, decimals, 0)


def end(*, deprecated: bool = True, warnings: int = 0, status: int = 2) -> bytes:
    """The end of the rows: an EOF packet, or the OK packet of CLIENT_DEPRECATE_EOF."""
    if deprecated:
        return b"\xfe" + struct.pack("<HH", warnings, status)
    return b"\xfe\0\0" + struct.pack("<HH", status, warnings)


def error(errno: int, sqlstate: str, message: str) -> bytes:
    """An ERR packet."""
    return b"\xff" + struct.pack("<H", errno) + b"#" + sqlstate.encode() + message.encode()


def text_row(values: list[bytes | None]) -> bytes:
    """A row of the text protocol."""
    return b"".join(b"\xfb" if value is None else string(value) for value in values)


def binary_row(values: list[bytes | None]) -> bytes:
    """A row of the binary protocol: numbers as they are, all else as `string` makes it."""
    nulls = sum(1 << at + 2 for at, value in enumerate(values) if value is None)
    bitmap = nulls.to_bytes((len(values) + 9) // 8, "little")
    return b"\0" + bitmap + b"".join(value for value in values if value is not None)


def reply(
    columns: list[bytes],
    rows: list[list[bytes | None]],
    last: bytes,
    *,
    eof: bool = True,
    row: Callable[[list[bytes | None]], bytes] = text_row,
) -> bytes:
    """A whole reply, in the text protocol unless its rows are made otherwise."""
    middle = [end()] if eof else []
    return framed([bytes([len(columns)]), *columns, *middle, *map(row, rows), last])
