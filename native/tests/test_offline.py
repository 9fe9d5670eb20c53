"""Replies made by hand: ways to end, chunks of any size, errors in the middle, bytes that are no reply."""

from __future__ import annotations

import contextlib

import mysql_arrow
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from packets import column, end, error, framed, reply
from support import Reader

INT, VARCHAR = column("a", 3), column("b", 253)
ROWS = [[b"1", b"x"], [None, "ä".encode()], [b"-3", b""]]
EXPECTED = [{"a": 1, "b": "x"}, {"a": None, "b": "ä"}, {"a": -3, "b": ""}]

both = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)


@pytest.mark.parametrize("eof", [True, False])
@pytest.mark.parametrize("rows", [0, 3])
def test_both_ways_to_end(reader: Reader, eof: bool, rows: int) -> None:
    data = reply([INT, VARCHAR], ROWS[:rows], end(deprecated=eof), eof=eof)
    assert reader.decode(data, protocol="text").to_pylist() == EXPECTED[:rows]


@both
@given(cuts=st.lists(st.integers(0, 200)))
def test_any_split_gives_the_same(reader: Reader, cuts: list[int]) -> None:
    data = reply([INT, VARCHAR], ROWS, end(warnings=7))
    decoder = reader.decoders.Decoder(protocol="text", rows_per_batch=2)
    batches, start = [], 0
    for cut in [*sorted(cuts), len(data)]:
        decoder.feed(data[start:cut])
        start = max(start, min(cut, len(data)))
        batches += [pa.record_batch(batch).to_pylist() for batch in decoder.batches()]
    assert batches == [EXPECTED[:2], EXPECTED[2:]]
    assert decoder.finished
    assert (decoder.stats.rows, decoder.stats.warnings, decoder.stats.bytes) == (3, 7, len(data))


@both
@example(data=bytes(4), text=False)
@given(data=st.binary(max_size=300), text=st.booleans())
def test_arbitrary_bytes_are_an_error_or_wait(reader: Reader, data: bytes, text: bool) -> None:
    decoder = reader.decoders.Decoder(protocol="text" if text else "binary", max_packet=1 << 16)
    decoder.feed(data)
    try:
        decoder.batches()
    except mysql_arrow.Error:
        with pytest.raises(mysql_arrow.ProtocolError):
            decoder.batches()


@both
@given(at=st.integers(0, 1000), byte=st.integers(0, 255), text=st.booleans())
def test_one_wrong_byte_never_breaks_more_than_the_read(reader: Reader, at: int, byte: int, text: bool) -> None:
    data = bytearray(reply([INT, VARCHAR, column("c", 12, decimals=6), column("d", 246)], [], end()))
    data += framed([b"\0\0\x05\0\0\0\x01y\x04\xe5\x07\x01\x02\x031.5", end()])
    data[at % len(data)] = byte
    decoder = reader.decoders.Decoder(protocol="text" if text else "binary", max_packet=1 << 16)
    decoder.feed(bytes(data))
    with contextlib.suppress(mysql_arrow.Error):
        decoder.batches()


def test_error_in_the_middle(reader: Reader) -> None:
    data = reply([INT], [[b"1"]], error(1317, "70100", "Query execution was interrupted"))
    with pytest.raises(mysql_arrow.ServerError, match="interrupted") as failed:
        reader.decode(data, protocol="text")
    assert (failed.value.errno, failed.value.sqlstate) == (1317, "70100")


def test_batches_are_cut_by_bytes(reader: Reader) -> None:
    data = reply([VARCHAR], [[b"x" * 1000]] * 10, end())
    decoder = reader.decoders.Decoder(protocol="text", bytes_per_batch=3000)
    decoder.feed(data)
    assert [batch.num_rows for batch in decoder.batches()] == [3, 3, 3, 1]


@pytest.mark.parametrize("size", [0xFF_FFFF - 4, 0xFF_FFFF - 3, 0xFF_FFFF, 0x2_00_0000])
def test_long_packets(reader: Reader, size: int) -> None:
    length = b"\xfd" + size.to_bytes(3, "little") if size < 1 << 24 else b"\xfe" + size.to_bytes(8, "little")
    data = framed([b"\x01", VARCHAR, end(), length + b"x" * size, end()])
    [value] = reader.decode(data, protocol="text")["b"].to_pylist()
    assert value == "x" * size


def test_packets_beyond_max_packet(reader: Reader) -> None:
    with pytest.raises(mysql_arrow.ProtocolError, match="longer than max_packet"):
        reader.decode(reply([VARCHAR], [[b"x" * 2000]], end()), protocol="text", max_packet=1000)


def test_a_packet_that_is_missing(reader: Reader) -> None:
    data = reply([INT], [[b"1"]] * 9, end())
    row = len(framed([b"\x011"]))
    with pytest.raises(mysql_arrow.ProtocolError, match="packet 12 follows packet 10"):
        reader.decode(data[: -2 * row - 9] + data[-row - 9 :], protocol="text")


def test_further_results_are_left_out(reader: Reader) -> None:
    first = [b"\x01", INT, end(), b"\x011", end(status=8 | 2)]
    second = [b"\x01", VARCHAR, end(), b"\x01x", end(status=8 | 2)]
    last = [b"\0\0\0\x02\0\0\0"]
    assert reader.decode(framed(first + second + last), protocol="text").to_pylist() == [{"a": 1}]


@pytest.mark.parametrize(
    ("payloads", "message"),
    [
        ([b"\xfbfile"], "local file|begins with 0xfb"),
        ([b""], "begins with|ends early"),
        ([b"\x01", b"\x03def"], "ends early"),
        ([b"\x01", INT, end(), b"\x02xy", end()], "'xy' is no INT"),
        ([b"\x01", INT, end(), b"\x011\x012", end()], "2 bytes after its last column"),
        ([b"\x01", INT, end(), b"\x05a", end()], "ends early"),
        ([b"\x01", column("a", 99)], "type 99"),
        ([b"\xfe" + b"\xff" * 8], "begins with 0xfe"),
    ],
)
def test_what_is_no_result(reader: Reader, payloads: list[bytes], message: str) -> None:
    decoder = reader.decoders.Decoder(protocol="text")
    decoder.feed(framed(payloads))
    with pytest.raises(mysql_arrow.ProtocolError, match=message):
        decoder.batches()


def test_no_result_set(reader: Reader) -> None:
    decoder = reader.decoders.Decoder()
    decoder.feed(framed([b"\0\0\0\x02\0\0\0"]))
    assert decoder.batches() == []
    assert decoder.finished and decoder.schema is None
