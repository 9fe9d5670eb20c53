"""What an increment leaves out, and how tables are dealt to slots."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from lake.contracts import Contract
from lake.extract.overlap import unknown
from lake.run import run_id_of
from lake.steps.register import batches

AT = datetime(2026, 1, 1, tzinfo=UTC)
SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string()), ("at", pa.timestamp("us", tz="UTC"))])


def _rows(*rows: tuple[int, str | None]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([{"id": i, "name": n, "at": AT} for i, n in rows], schema=SCHEMA)


def test_known_rows_are_left_out_and_changed_ones_are_not() -> None:
    known = pa.Table.from_batches([_rows((1, "a"), (2, None), (3, "c"))])
    fresh = list(unknown([_rows((1, "a"), (2, ""), (3, "changed"), (4, "d"))], known))
    assert [row["id"] for batch in fresh for row in batch.to_pylist()] == [2, 3, 4]


@pytest.mark.parametrize(
    ("known", "fresh"),
    [
        (("x\x01y", "z"), ("x", "y\x01z")),
        (("\x00null", "z"), (None, "z")),
        ((None, "z"), ("\x00null", "z")),
        (("N,", "z"), (None, "z")),
        (("", "1:"), ("1:", "")),
        (("a,1:b", ""), ("a", "b,0:")),
        (("", None), (None, "")),
        (("e\u0301", "z"), ("é", "z")),
        ((b"\x00", b""), (b"", b"\x00")),
        ((b"00", b"z"), (b"0", b"0z")),
        ((b"", b"z"), (None, b"z")),
        ((0.0, 1.0), (-0.0, 1.0)),
        ((0.1, 1.0), (0.1 + 2**-56, 1.0)),
        ((Decimal("1.10"), None), (Decimal("11.00"), None)),
        ((AT, AT), (AT, AT + timedelta(microseconds=1))),
    ],
)
def test_rows_that_differ_in_any_value_are_not_taken_for_each_other(known: Any, fresh: Any) -> None:
    both = pa.RecordBatch.from_pydict({"a": [known[0], fresh[0]], "b": [known[1], fresh[1]]})
    held = pa.Table.from_batches([both.slice(0, 1)])
    assert list(unknown([both], held)) == [both.slice(1)]


def test_a_row_is_known_whatever_its_types() -> None:
    columns = {
        "bytes": [b"\xff\x00", b"", None],
        "text": ["ä\x00", "", None],
        "number": [2**63 - 1, -(2**63), None],
        "amount": [Decimal("-0.01"), Decimal("99999999999999999999.99"), None],
        "double": [5e-324, float("nan"), None],
        "truth": [True, False, None],
        "day": [date(1, 1, 1), date(9999, 12, 31), None],
        "at": [AT, datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), None],
    }
    batch = pa.RecordBatch.from_pydict(columns)
    assert list(unknown([batch], pa.Table.from_batches([batch.slice(2), batch.slice(0, 2)]))) == []


def test_nothing_is_left_when_all_is_known() -> None:
    known = pa.Table.from_batches([_rows((1, None))])
    assert list(unknown([_rows((1, None))], known)) == []


def test_tables_that_point_at_each_other_stay_together_and_the_heaviest_are_dealt_first() -> None:
    key = {"type": "bigint", "nullable": False}
    common = {"description": "x", "owner": "x", "grain": "x", "deletes": "none", "key": ["k"]}
    parents = {"parent": None, "child": "parent.k", "alone": None, "small": None}
    contracts = {
        table: Contract.model_validate(
            {**common, "table": table, "columns": {"k": key, "p": {"type": "bigint", "references": parent}}}
        )
        for table, parent in parents.items()
    }
    rows = {"parent": 10, "child": 9000, "alone": 50_000, "small": 1}
    assert batches(contracts, rows, slots=2) == [["alone"], ["child", "parent", "small"]]
    assert batches(contracts, rows, slots=9) == [["alone"], ["child", "parent"], ["small"]]


def test_run_ids_are_fit_for_names() -> None:
    assert run_id_of("scheduled__2026-11-24T00:00:00+00:00") == "scheduled_20261124t000000"
