"""What the lake holds of a table, read from Iceberg on a branch of its own: no row of a range is missing."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from lake.changes.ranges import Range, within
from lake.contracts import EXTRACTED_AT, OPERATION, PROBLEMS, READ, RUN_ID, Contract
from lake.layers import raw
from lake.layers.held import HeldRows
from lake.platform import catalog

COMMON = {"description": "x", "owner": "x", "grain": "x", "deletes": "keys"}
KEYS: dict[str, list[Any]] = {
    "bigint unsigned": [Decimal(0), Decimal(2**63), Decimal(2**64 - 1)],
    "int": [-5, 0, 7],
    "decimal(10,2)": [Decimal("-1.50"), Decimal("0.00"), Decimal("9.99")],
    "date": [date(1500, 1, 1), date(1969, 12, 31), date(2026, 1, 1)],
    "datetime(6)": [datetime(1582, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)],
    "varbinary(9)": [b"", b"\x00", b"\xff\x00"],
}


@pytest.fixture
def branch(platform: None) -> Iterator[str]:
    """A branch with the namespaces of all layers."""
    raw.prepare(catalog.MAIN)
    name = f"test_{uuid.uuid4().hex[:12]}"
    catalog.create_branch(name)
    yield name
    catalog.delete_branch(name)


def test_rows_of_ranges_from_both_layers(branch: str) -> None:
    for number, (mysql, values) in enumerate(KEYS.items()):
        columns = {"k": {"type": mysql, "nullable": False}, "n": {"type": "int"}}
        contract = Contract.model_validate({**COMMON, "table": f"held_{number}", "key": ["k"], "columns": columns})
        rows = pa.table({"k": values, "n": range(len(values))}).cast(contract.schema)
        told = pa.nulls(1, pa.string())
        iceberg = raw.open_catalog(branch)
        iceberg.create_table(("cleaned", contract.table), contract.schema).append(rows.slice(1))
        quarantine = iceberg.create_table(("quarantine", contract.table), contract.read_schema)
        quarantine.append(rows.slice(0, 1).append_column(PROBLEMS, told))
        held = HeldRows(branch, contract)
        for wanted in (
            [Range()],
            [Range(None, (values[1],))],
            [Range((values[1],), None)],
            [Range((values[0],), (values[1],)), Range((values[-1],), None)],
        ):
            found = pa.Table.from_batches(held.rows(wanted, contract.read_schema.names), contract.read_schema)
            expected = within(rows, wanted, ["k"])["k"].to_pylist()
            assert sorted(within(found, wanted, ["k"])["k"].to_pylist()) == sorted(expected)
        (keys,) = {batch.schema.names[0] for batch in held.rows([Range()], ["k"])}
        assert keys == "k"


def test_what_was_deleted_is_not_held_though_raw_remembers_it(branch: str) -> None:
    columns = {"k": {"type": "int", "nullable": False}, "at": {"type": "datetime(6)", "nullable": False}}
    described = {**COMMON, "table": "held_since", "key": ["k"], "cursor": "at", "columns": columns}
    contract = Contract.model_validate(described)
    days = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)]
    rows = pa.table({"k": [1, 2, 3, 4], "at": days}).cast(contract.schema)
    iceberg = raw.open_catalog(branch)
    marks = {PROBLEMS: None, RUN_ID: "r", EXTRACTED_AT: days[3], OPERATION: READ}
    listed = [{**row, **marks} for row in rows.to_pylist()]
    registered = iceberg.create_table(("raw", contract.table), contract.raw_schema)
    registered.append(pa.Table.from_pylist(listed, contract.raw_schema))
    # Row 4 was deleted from the source since; row 3 waits in quarantine.
    iceberg.create_table(("cleaned", contract.table), contract.schema).append(rows.slice(0, 2))
    refused = rows.slice(2, 1).append_column(PROBLEMS, pa.nulls(1, pa.string()))
    iceberg.create_table(("quarantine", contract.table), contract.read_schema).append(refused)
    found = HeldRows(branch, contract).since(days[0])
    assert found.schema == contract.read_schema
    assert sorted(found["k"].to_pylist()) == [2, 3]


def test_a_table_that_is_not_there_yet_holds_nothing(branch: str) -> None:
    columns = {"k": {"type": "int", "nullable": False}}
    contract = Contract.model_validate({**COMMON, "table": "held_nowhere", "key": ["k"], "columns": columns})
    assert list(HeldRows(branch, contract).rows([Range()], ["k"])) == []
