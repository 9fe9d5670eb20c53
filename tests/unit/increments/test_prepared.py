"""XA transactions that one run saw prepared: what a later run makes of their decision."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from mysql_arrow.binlog import OPERATION, Decided
from mysql_arrow.binlog import Prepared as Told

from lake.changes import prepared
from lake.changes.prepared import Prepared
from lake.contracts import Contract

COMMON = {"description": "x", "owner": "x", "grain": "x", "deletes": "keys"}
CONTRACT = Contract.model_validate(
    {**COMMON, "table": "t", "key": ["id"], "columns": {"id": {"type": "bigint", "nullable": False}}}
)
TOLD = pa.table({"id": pa.array([7, 8, 9], pa.int64()), OPERATION: ["insert"] * 3})


def _pass(decided: list[Decided] | None = None, open_ones: list[Told] | None = None) -> Any:
    return SimpleNamespace(decided=decided or [], prepared=open_ones or [])


def test_keys_of_open_transactions_are_left_for_the_next_run() -> None:
    found = Prepared().after(CONTRACT, _pass(open_ones=[Told("a", {"t": [0, 2]}), Told("b", {"other": [5]})]), TOLD)
    assert found.left.keys == {"a": [[7], [9]], "b": []}
    assert (found.committed.num_rows, found.hidden) == (0, "")


@pytest.mark.parametrize(
    "commits, is_over, committed, left",
    [
        (True, True, [1, 2], {"b": []}),
        (True, False, [1, 2], {"a": [[1], [2]], "b": []}),
        (False, True, [], {"b": []}),
    ],
)
def test_a_decision(commits: bool, is_over: bool, committed: list[int], left: dict[str, Any]) -> None:
    before = Prepared({"a": [[1], [2]], "b": []})
    found = before.after(CONTRACT, _pass([Decided("a", commits, is_over)]), TOLD)
    assert found.committed["id"].to_pylist() == committed
    assert (found.left.keys, found.hidden) == (left, "")


@pytest.mark.parametrize("before, reason", [({}, "before the last runs"), ({"a": None}, "too many rows")])
def test_what_is_not_known_has_the_table_read_anew_if_it_commits(before: dict[str, Any], reason: str) -> None:
    assert reason in Prepared(before).after(CONTRACT, _pass([Decided("a", True, True)]), TOLD).hidden
    assert not Prepared(before).after(CONTRACT, _pass([Decided("a", False, True)]), TOLD).hidden


def test_a_table_whose_keys_were_not_told_remembers_that_it_was_touched() -> None:
    found = Prepared().after(CONTRACT, _pass(open_ones=[Told("a", {"t": None}), Told("b", {})]), None)
    assert found.left.keys == {"a": None, "b": []}


def test_a_state_holds_so_many_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "MOST_KEYS", 2)
    found = Prepared({"small": [[1]]}).after(CONTRACT, _pass(open_ones=[Told("large", {"t": [0, 1]})]), TOLD)
    assert found.left.keys == {"small": [[1]], "large": None}
