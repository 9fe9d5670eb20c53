"""Tables of few values are counted in memory: the same counts that Trino is asked for of the others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from lake.contracts import Contract
from lake.quality import few
from lake.quality.counts import Contents

SAID = {"table": "t", "description": "x", "owner": "x", "grain": "x", "deletes": "none"}
COLUMNS = {
    "k": {"type": "bigint", "nullable": False},
    "state": {"type": "enum('open','closed')", "nullable": False},
    "kind": {"type": "enum('a?')"},
    "listed": {"type": "enum('x','y')", "accepted": ["x"]},
}
ROWS = pa.table(
    {
        "k": pa.array([1, 1, 2, None], pa.int64()),
        "state": ["open", "", "Open", "closed"],
        "kind": ["", None, "a😀", "b"],
        "listed": ["y", None, None, None],
    }
)


def _holding(rows: pa.Table | None) -> Any:
    def find(reference: str, layer: str, table: str) -> Any:
        assert (reference, layer, table) == ("branch", "cleaned", "t")
        if rows is None:
            return None
        snapshot = SimpleNamespace(summary={"total-records": str(rows.num_rows)})
        scan = lambda selected_fields: SimpleNamespace(to_arrow=lambda: rows.select(selected_fields))  # noqa: E731
        return SimpleNamespace(current_snapshot=lambda: snapshot, scan=scan)

    return find


def _contract(*key: str, **columns: Any) -> Contract:
    return Contract.model_validate({**SAID, "key": key, "columns": columns or COLUMNS})


def test_what_is_missing_strange_or_double_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few.raw, "find", _holding(ROWS))
    assert few.contents("branch", [_contract("k")]) == {
        "t": Contents(4, {"k": 3, "state": 4}, {"state": 2, "kind": 1}, keys=3)
    }


def test_a_table_without_a_key_or_a_demand_has_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few.raw, "find", _holding(ROWS))
    assert few.contents("branch", [_contract(listed={"type": "varchar(5)"})]) == {"t": Contents(4, {}, {})}


@pytest.mark.parametrize("rows", [None, ROWS])
def test_a_table_that_is_not_there_or_is_large_is_left_to_trino(
    monkeypatch: pytest.MonkeyPatch, rows: pa.Table | None
) -> None:
    monkeypatch.setattr(few, "FEW_VALUES", 15)
    monkeypatch.setattr(few.raw, "find", _holding(rows))
    assert few.contents("branch", [_contract("k")]) == {}
