"""Which rows are looked for, and in which files."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
from pyiceberg.expressions import AlwaysTrue, And, GreaterThanOrEqual, In, LessThanOrEqual

from lake.layers.located import FEW_VALUES, around, having

ROWS = pa.table({"a": [1, 1, 2, 2, None], "b": ["x", "y", "x", "y", "x"]})


def test_a_key_of_two_columns_is_wanted_as_a_pair() -> None:
    """Of (1, y) and (2, x) each value is in a key, and so is each of (1, x), which is none."""
    keys = pa.table({"a": [1, 2], "b": ["y", "x"]})
    assert having(["a", "b"], keys)(ROWS).to_pylist() == [False, True, True, False, False]


def test_a_key_of_one_column_is_wanted_by_its_values() -> None:
    assert having(["a"], pa.table({"a": [2, 3, 2]}))(ROWS).to_pylist() == [False, False, True, True, False]


def test_without_keys_no_row_is_wanted() -> None:
    keys = pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())})
    assert having(["a", "b"], keys)(ROWS).to_pylist() == [False] * 5


def test_files_are_left_unread_by_numbers_alone() -> None:
    numbers = pa.chunked_array([[Decimal(5), None, Decimal(7)]])
    assert around("k", numbers) == In("k", [Decimal(5), Decimal(7)])
    many = pa.chunked_array([[*range(FEW_VALUES + 1)]])
    assert around("k", many) == And(GreaterThanOrEqual("k", 0), LessThanOrEqual("k", FEW_VALUES))
    assert around("k", pa.chunked_array([["x"]])) == AlwaysTrue()
