"""What an increment leaves out, and how tables are dealt to slots."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa

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
