"""Batches of good and bad values: the plain decoder reads whole columns at once, and must not differ by it."""

from __future__ import annotations

import hashlib
import struct
from datetime import date
from decimal import Decimal
from typing import Any

import mysql_arrow
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mysql_arrow._fallback.cut import _cut_together
from packets import binary_row, column, end, reply, string, text_row
from support import Reader

INT, BIGINT = column("v", 3), column("v", 8, flags=0x20)
MONEY, WIDE = column("v", 246, length=14, decimals=2), column("v", 246, length=40, decimals=2)
DATE, MOMENT, MICROS = column("v", 10), column("v", 12), column("v", 12, decimals=6)

ROWS = {"text": text_row, "binary": binary_row}

# What Arrow reads as something, and the server never sends or means otherwise; with a good value beside it.
OTHERWISE = [
    (INT, b"7", b"0x1F", "'0x1F' is no INT"),
    (INT, b"7", b"+1", r"'\+1' is no INT"),
    (BIGINT, b"7", b"-1", "'-1' is no BIGINT UNSIGNED"),
    (MONEY, b"7.00", b"1e5", r"1e5 is no decimal128\(12, 2\); the server sent something else"),
    (MONEY, b"7.00", b"+1.00", r"\+1.00 is no decimal128\(12, 2\); the server sent something else"),
    (DATE, b"2021-06-01", b"0000-01-01", r"'0000-01-01' is no date32\[day\]"),
    (MOMENT, b"2021-06-01 00:00:00", b"0000-01-01 00:00:00", r"'0000-01-01 00:00:00' is no timestamp\[us\]"),
    (MOMENT, b"2021-06-01 00:00:00", b"2021-02-29 00:00:00", r"'2021-02-29 00:00:00' is no timestamp\[us\]"),
    (MOMENT, b"2021-06-01 00:00:00", b"2021-06-01", r"'2021-06-01' is no DATETIME\(0\)"),
    (MOMENT, b"2021-06-01 00:00:00", b"2021-06-01T00:00:00", r"'2021-06-01T00:00:00' is no DATETIME\(0\)"),
    (MOMENT, b"2021-06-01 00:00:00", b"2021-06-01 00:00:00Z", r"'2021-06-01 00:00:00Z' is no DATETIME\(0\)"),
]


@pytest.mark.parametrize(("kind", "good", "sent", "message"), OTHERWISE)
def test_what_arrow_would_take_otherwise(reader: Reader, kind: bytes, good: bytes, sent: bytes, message: str) -> None:
    data = reply([kind], [[good], [None], [sent], [good]], end())
    with pytest.raises((mysql_arrow.ProtocolError, mysql_arrow.ValueRefused), match=message):
        reader.decode(data, protocol="text")


def test_a_decimal_that_overflows_when_it_gets_more_decimals(reader: Reader) -> None:
    """The type has room for eight digits before the point. Arrow makes 19435266.158… of this value."""
    schema = pa.schema([("v", pa.decimal128(38, 30))])
    data = reply([WIDE], [[b"99999999.99"], [b"700000000.00"], [b"-99999999.99"]], end())
    table = reader.decode(data, protocol="text", schema=schema, range="problem", problems="p")
    assert table["v"].to_pylist() == [Decimal("99999999.99"), None, Decimal("-99999999.99")]
    assert table["p"].to_pylist() == [None, "v: 700000000.00 is no decimal128(38, 30)", None]


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (struct.pack("<HBBB", 2021, 6, 1, 0), "a date of 5 bytes"),
        (struct.pack("<HBBQ", 2021, 6, 1, 0), "a date of 12 bytes"),
        (struct.pack("<HBB", 10_000, 1, 1), "a date beyond 9999-99-99"),
        (struct.pack("<HBB", 2021, 100, 1), "a date beyond 9999-99-99"),
        (struct.pack("<HBBBBB", 2021, 6, 1, 24, 0, 0), "a moment whose clock shows no time"),
        (struct.pack("<HBBBBB", 2021, 6, 1, 0, 60, 0), "a moment whose clock shows no time"),
        (struct.pack("<HBBBBB", 2021, 6, 1, 0, 0, 60), "a moment whose clock shows no time"),
        (struct.pack("<HBBBBBI", 2021, 6, 1, 0, 0, 0, 1_000_000), "a moment whose clock shows no time"),
    ],
)
def test_moments_that_no_server_sends(reader: Reader, sent: bytes, message: str) -> None:
    good = string(struct.pack("<HBBBBB", 2021, 6, 1, 1, 2, 3))
    data = reply([MICROS], [[good], [None], [string(sent)], [good]], end(), row=binary_row)
    with pytest.raises(mysql_arrow.ProtocolError, match=message):
        reader.decode(data)


# Good values that read otherwise than most: what they become, and what is hashed of them.
UNUSUAL = [
    (INT, b"0042", 42, b"42"),
    (INT, b"-0", 0, b"0"),
    (MONEY, b"0012.50", Decimal("12.50"), b"12.50"),
    (MONEY, b".5", Decimal("0.50"), b".5"),
    (MONEY, b"-0.00", Decimal("0.00"), b"-0.00"),
]


@pytest.mark.parametrize(("kind", "sent", "value", "piece"), UNUSUAL)
def test_unusual_values_and_their_hashes(reader: Reader, kind: bytes, sent: bytes, value: Any, piece: bytes) -> None:
    usual = b"7.00" if kind == MONEY else b"7"
    decoder = reader.decoders.Decoder(protocol="text", hashes=True)
    decoder.feed(reply([kind], [[usual], [sent], [None]], end()))
    [batch] = [pa.record_batch(batch) for batch in decoder.batches()]
    assert batch["v"].to_pylist() == [7, value, None]
    assert decoder.hash_sum == sum(_hash(row) for row in (usual + b",", piece + b",", b"N,"))


def _hash(row: bytes) -> int:
    return int.from_bytes(hashlib.sha256(row).digest()[:8], "big")


@pytest.mark.parametrize("rows_per_batch", [7, 1000])
def test_problems_are_told_of_their_rows(reader: Reader, protocol: str, rows_per_batch: int) -> None:
    columns = [column("a", 3), column("b", 10), column("c", 253)]
    schema = pa.schema([("a", pa.int8()), ("b", pa.date32()), ("c", pa.string())])
    bad = {50: (200, (2021, 5, 9), b"x"), 51: (2, (2021, 0, 0), b"x"), 52: (3, (2021, 5, 9), b"\xff")}
    sent = [bad.get(at, (at % 100, (2021, 1 + at % 12, 1 + at % 28), b"t%d" % at)) for at in range(100)]
    if protocol == "text":
        rows = [[b"%d" % a, b"%04d-%02d-%02d" % b, c] for a, b, c in sent]
        data = reply(columns, rows, end())
    else:
        rows = [[struct.pack("<i", a), string(struct.pack("<HBB", *b)), string(c)] for a, b, c in sent]
        data = reply(columns, rows, end(), row=binary_row)
    policies = {"range": "problem", "dates": "problem", "text": "problem", "problems": "p"}
    table = reader.decode(data, protocol=protocol, schema=schema, rows_per_batch=rows_per_batch, **policies)
    told = {
        50: {"a": None, "b": date(2021, 5, 9), "c": "x", "p": "a: 200 is no int8"},
        51: {"a": 2, "b": None, "c": "x", "p": "b: '2021-00-00' is no date"},
        52: {"a": 3, "b": date(2021, 5, 9), "c": None, "p": "c: 0xFF is no text"},
    }
    expected = [
        told.get(at) or {"a": a, "b": date(*b), "c": c.decode(), "p": None} for at, (a, b, c) in enumerate(sent)
    ]
    assert table.to_pylist() == expected


def test_the_first_bad_value_by_row_is_refused(reader: Reader) -> None:
    rows = [[b"1", b"2021-01-01"], [b"2", b"0000-00-00"], [b"300", b"2021-01-01"]]
    schema = pa.schema([("a", pa.int8()), ("b", pa.date32())])
    data = reply([column("a", 3), column("b", 10)], rows, end())
    with pytest.raises(mysql_arrow.ValueRefused, match="column b: '0000-00-00' is no date"):
        reader.decode(data, protocol="text", schema=schema)


def _strings(rows: list[list[bytes | None]], protocol: str) -> list[list[bytes | None]]:
    """The values of rows as the maker of rows wants them."""
    if protocol == "text":
        return rows
    return [[None if value is None else string(value) for value in row] for row in rows]


@pytest.mark.parametrize("size", [0, 1, 250, 251, 252, 65_535, 65_536, 70_000])
def test_lengths_of_every_form(reader: Reader, protocol: str, size: int) -> None:
    values = [[b"x" * size, b"y", None], [b"z", b"x" * size, None], [None, b"", b"x" * size]]
    columns = [column(name, 253) for name in "abc"]
    data = reply(columns, _strings(values, protocol), end(), row=ROWS[protocol])
    found = [list(line.values()) for line in reader.decode(data, protocol=protocol).to_pylist()]
    assert found == [[None if value is None else value.decode() for value in line] for line in values]


SIZED = st.none() | st.sampled_from([0, 1, 250, 251, 252, 65_535, 65_536]).map(lambda size: b"x" * size)


@settings(deadline=None, max_examples=50)
@given(rows=st.lists(st.tuples(*[SIZED] * 9), min_size=1, max_size=9))
def test_rows_are_cut_together_as_they_are_alone(rows: list[tuple[bytes | None, ...]]) -> None:
    """The plain decoder's quick way, by itself: where it gives up, the slow one takes over and hides that."""
    for protocol, row in ROWS.items():
        packets = [row(values) for values in _strings([list(values) for values in rows], protocol)]
        found = _cut_together(packets, [None] * 9, protocol == "binary")
        assert list(zip(*(values.to_pylist() for values in found), strict=True)) == rows


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (b"\0\0\x01\0\0\0", "ends early"),
        (b"\0\0\x01\0\0\0\x02x", "ends early"),
        (b"\0\0\x01\0\0\0\x01xy", "1 bytes after its last column"),
        (b"\0\0\x01\0\0\0\xfb" + b"x" * 0xFB, "0xfb begins no length"),
        (b"\0\0\x01\0\0\0\xffx", "0xff begins no length"),
        (b"\x01\0\x01\0\0\0\x01x", "a binary row begins with 0x00"),
        (b"\0", "ends early"),
    ],
)
def test_a_row_that_does_not_add_up_among_many(reader: Reader, row: bytes, message: str) -> None:
    good = binary_row([struct.pack("<i", 1), string(b"x")])
    rows = [[good]] * 100 + [[row]] + [[good]] * 100
    data = reply([column("a", 3), column("b", 253)], rows, end(), row=lambda pieces: pieces[0])
    with pytest.raises(mysql_arrow.ProtocolError, match=message):
        reader.decode(data)


# -- both decoders read the same


def _moments(sizes: list[int]) -> st.SearchStrategy[bytes]:
    parts = st.tuples(
        st.sampled_from([0, 1, 1969, 1970, 2021, 9999]),
        st.integers(0, 13),
        st.integers(0, 31),
        st.sampled_from([0, 23]),
        st.sampled_from([0, 59]),
        st.sampled_from([0, 59]),
        st.sampled_from([0, 1, 120_000, 999_999]),
    )
    return st.builds(lambda moment, size: struct.pack("<HBBBBBI", *moment)[:size], parts, st.sampled_from(sizes))


SENT: dict[str, tuple[bytes, pa.DataType, st.SearchStrategy[bytes]]] = {
    "key": (column("key", 8, flags=0x20), pa.decimal128(20, 0), st.binary(min_size=8, max_size=8)),
    "number": (column("number", 3), pa.int16(), st.binary(min_size=4, max_size=4)),
    "truth": (column("truth", 1), pa.bool_(), st.sampled_from([b"\0", b"\1", b"\2", b"\xff"])),
    "bit": (column("bit", 16, length=1), pa.bool_(), st.sampled_from([b"\0", b"\1"]).map(string)),
    "money": (
        column("money", 246, length=14, decimals=2),
        pa.decimal128(10, 3),
        st.decimals(-(10**11), 10**11, places=2).map(lambda value: string(f"{value:.2f}".encode())),
    ),
    "double": (
        column("double", 5, decimals=31),
        pa.float64(),
        st.floats(allow_nan=False, allow_infinity=False).map(lambda value: struct.pack("<d", value)),
    ),
    "date": (column("date", 10), pa.date32(), _moments([0, 4]).map(string)),
    "moment": (column("moment", 12, decimals=6), pa.timestamp("us", "UTC"), _moments([0, 4, 7, 11]).map(string)),
    "second": (column("second", 7), pa.timestamp("us"), _moments([4, 7]).map(string)),
    "text": (column("text", 253), pa.string(), (st.text(max_size=300).map(str.encode) | st.binary()).map(string)),
    "bytes": (column("bytes", 253, charset=63), pa.binary(), st.binary(max_size=300).map(string)),
}


@settings(deadline=None, max_examples=150)
@given(
    rows=st.lists(st.tuples(*(st.none() | values for _, _, values in SENT.values())), max_size=20),
    rows_per_batch=st.sampled_from([1, 6, 1000]),
    text=st.sampled_from(["problem", "null", "replace"]),
)
def test_both_decoders_read_the_same(rows: list[tuple[bytes | None, ...]], rows_per_batch: int, text: str) -> None:
    if not mysql_arrow.NATIVE:
        pytest.skip("missing part: the extension is not built")
    data = reply([kind for kind, _, _ in SENT.values()], [list(row) for row in rows], end(), row=binary_row)
    schema = pa.schema([(name, arrow) for name, (_, arrow, _) in SENT.items()])
    options = {"schema": schema, "rows_per_batch": rows_per_batch, "problems": "p", "hashes": True, "text": text}
    outcomes = []
    for name in ("native", "plain"):
        decoder = Reader(name).decoders.Decoder(dates="problem", range="problem", **options)
        decoder.feed(data)
        outcomes.append((list(map(pa.record_batch, decoder.batches())), decoder.stats, decoder.hash_sum))
        assert decoder.finished
    assert outcomes[0] == outcomes[1]
