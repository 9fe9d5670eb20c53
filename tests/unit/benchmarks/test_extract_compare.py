"""What counts as a wrong type or value when a reader's output is compared with the source."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.extract import compare, truth

UTC, US = pa.timestamp("us", tz="UTC"), pa.timestamp("us")


@pytest.mark.parametrize(
    ("exact", "found", "expected"),
    [
        (pa.uint64(), pa.decimal128(20, 0), True),
        (pa.uint64(), pa.decimal128(38, 10), True),
        (pa.uint64(), pa.int64(), False),
        (pa.uint64(), pa.string(), False),
        (pa.uint32(), pa.int64(), True),
        (pa.uint32(), pa.int32(), False),
        (pa.int8(), pa.uint64(), False),
        (pa.int8(), pa.bool_(), False),
        (pa.int64(), pa.float64(), False),
        (pa.decimal128(12, 2), pa.decimal128(38, 10), True),
        (pa.decimal128(30, 15), pa.decimal128(38, 10), False),
        (pa.decimal128(12, 2), pa.float64(), False),
        (US, pa.timestamp("ns"), False),
        (US, pa.timestamp("ms"), False),
        (UTC, US, True),
        (pa.date32(), pa.date64(), True),
        (pa.date32(), US, False),
        (pa.duration("us"), pa.time64("us"), False),
        (pa.duration("us"), pa.string(), True),
        (pa.string(), pa.binary(), False),
    ],
)
def test_a_type_is_right_when_it_holds_every_value_as_what_it_is(
    exact: pa.DataType, found: pa.DataType, expected: bool
) -> None:
    assert compare.holds(exact, found) is expected


def _column(
    values: list[object], found: pa.DataType, right: list[object], exact: pa.DataType
) -> compare.Finding | None:
    return compare.column("c", pa.array(values, found), pa.chunked_array([pa.array(right, exact)]))


def test_equal_values_in_a_wider_type_are_right() -> None:
    assert _column([1, None, 2], pa.decimal128(20, 0), [1, None, 2], pa.uint64()) is None
    assert (
        _column([Decimal("1.50"), None], pa.decimal128(38, 10), [Decimal("1.50"), None], pa.decimal128(12, 2)) is None
    )


def test_null_is_not_the_empty_text_nor_the_text_null() -> None:
    found = _column(["a", None, ""], pa.string(), ["a", "NULL", None], pa.string())
    assert found == compare.Finding("c", None, 2, "row 2: None instead of 'NULL'")


def test_digits_that_were_cut_are_found_though_the_type_is_a_decimal() -> None:
    wrong = _column(
        [Decimal("0.1234567890"), Decimal("1")],
        pa.decimal128(38, 10),
        [Decimal("0.123456789012345"), Decimal("1")],
        pa.decimal128(30, 15),
    )
    assert wrong and wrong.values_wrong == 1
    assert wrong.type == "decimal128(38, 10) for decimal128(30, 15)"
    assert wrong.example == "row 1: 0.1234567890 instead of 0.123456789012345"


def test_a_float_is_a_decimal_only_by_its_own_digits() -> None:
    wrong = _column([0.5, 0.1], pa.float64(), [Decimal("0.5"), Decimal("0.1")], pa.decimal128(5, 1))
    assert wrong and wrong.values_wrong == 1 and wrong.type


def test_a_boolean_loses_a_two() -> None:
    wrong = _column([True, False], pa.bool_(), [2, 0], pa.int8())
    assert wrong == compare.Finding("c", "bool for int8", 1, "row 1: True instead of 2")


def test_rows_that_are_missing() -> None:
    wrong = _column([1], pa.int32(), [1, 2, 3], pa.int32())
    assert wrong and wrong.values_wrong == 2 and wrong.example == "1 rows instead of 3"


def test_a_table_in_any_order_and_in_several_files(tmp_path: Path) -> None:
    right = pa.table({"id": pa.array([1, 2, 3, 4], pa.uint64()), "v": ["a", "b", None, "d"]})
    folder = tmp_path / "t.parquet"
    folder.mkdir()
    pq.write_table(right.slice(2), folder / "part-0.parquet")
    pq.write_table(right.slice(0, 2), folder / "part-1.parquet")
    assert compare.table(folder, right) == compare.Comparison((), {})
    pq.write_table(right.slice(0, 2).rename_columns(["id", "w"]), folder / "part-1.parquet")
    (missing,) = compare.table(tmp_path / "t.parquet" / "part-1.parquet", right.slice(0, 2)).findings
    assert missing.type == "the column is missing"


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ("18446744073709551615", pa.uint64(), 2**64 - 1),
        ("-0.01", pa.decimal128(38, 2), Decimal("-0.01")),
        ("E0F09F9880", pa.binary(), b"\xe0\xf0\x9f\x98\x80"),
        ("C3A4", pa.string(), "ä"),
        ("", pa.string(), ""),
        ("0000-00-00", pa.date32(), None),
        ("2021-02-00", pa.date32(), None),
        ("1000-01-01", pa.date32(), date(1000, 1, 1)),
        ("9999-12-31 23:59:59.999999", US, datetime(9999, 12, 31, 23, 59, 59, 999999)),
        ("-838:59:59.000001", pa.duration("us"), -timedelta(hours=838, minutes=59, seconds=59, microseconds=1)),
    ],
)
def test_what_the_server_prints_is_read_exactly(text: str, target: pa.DataType, expected: object) -> None:
    assert truth.exact(pa.chunked_array([pa.array([text])]), target).to_pylist() == [expected]
