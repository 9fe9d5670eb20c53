"""The schema of hundreds of tables is what it says, and a benchmark over wrong figures is refused."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.tables import refuse_wrong
from benchmarks.tables_schema import SMALL_ROWS, TYPES, plan
from lake.errors import AuditError


def test_the_schema_is_as_large_as_it_says_and_the_same_each_time() -> None:
    planned = plan(1000)
    assert planned == plan(1000)
    assert sum(table.rows < SMALL_ROWS for table in planned) == 900
    assert abs(sum(table.rows for table in planned) - 3_000_000) < 100
    widths = [1 + len(table.columns) for table in planned]
    assert (min(widths), max(widths)) == (5, 120)


def test_every_type_is_there_and_a_table_points_only_at_one_before_it() -> None:
    planned = plan(1000)
    assert {kind.removesuffix(" NOT NULL") for table in planned for kind in table.columns.values()} >= TYPES.keys()
    place = {table.name: number for number, table in enumerate(planned)}
    pointing = [table for table in planned if table.parent]
    assert len(pointing) > 200
    assert all(place[table.parent] < place[table.name] for table in pointing)


def _receipt(unchanged_since: str = "", **changed: Any) -> dict[str, Any]:
    tables = {
        f"many_{table.name}": {"cleaned_rows": table.rows - 1, "quarantine_rows": 1, "read": table.rows}
        if table.rows
        else {"cleaned_rows": 0, "quarantine_rows": 0, "read": 0}
        for table in plan(20)
    }
    tables["many_t_0000"] |= changed
    return {"tables": tables, "unchanged_since": unchanged_since}


def test_a_run_that_is_what_the_source_says_counts() -> None:
    refuse_wrong("first run", _receipt(), plan(20), {})


@pytest.mark.parametrize(
    ("receipt", "said"),
    [
        (_receipt(cleaned_rows=0), "t_0000 has 8 rows, the lake 0 and 1 refused"),
        (_receipt(read=3), "t_0000 read 3"),
        (_receipt(unchanged_since="before"), "unchanged since before"),
    ],
)
def test_a_run_that_is_not_is_refused(receipt: dict[str, Any], said: str) -> None:
    with pytest.raises(AuditError, match=said):
        refuse_wrong("first run", receipt, plan(20), {})
