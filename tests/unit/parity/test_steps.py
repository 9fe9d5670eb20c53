"""The steps of a night's parity: what is handed on to be mended, and what a person has to hear of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from lake.contracts import Contract
from lake.errors import AuditError, SourceError
from lake.extract import pace
from lake.ledger import parity_pass, parity_rows
from lake.ledger.parity import Finding
from lake.steps import parity

COMMON = {"description": "x", "owner": "x", "grain": "x", "deletes": "none"}
CONTRACT = Contract.model_validate({**COMMON, "table": "t", "key": [], "columns": {"a": {"type": "int"}}})


def _finding(table: str, drift: int = 0, **attributes: Any) -> Finding:
    found = Finding(table, "shop", datetime(2026, 1, 1, tzinfo=UTC), 5, 5, parity_rows.none(CONTRACT, drift))
    return replace(found, **attributes)


def _finds(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> None:
    monkeypatch.setattr(parity_pass, "take", lambda tables=(), *, is_marking: list(findings))


def test_what_drifted_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    _finds(monkeypatch, _finding("a"), _finding("b", 3), _finding("c", error="it does not fit"))
    assert parity.sweep() == ["b", "c"]


def test_a_table_that_was_not_compared_is_told_when_there_is_nothing_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    _finds(monkeypatch, _finding("a"), _finding("c", error="it does not fit"))
    with pytest.raises(AuditError, match="c: it does not fit"):
        parity.sweep()


def test_a_busy_table_that_is_read_whole_alarms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    _finds(monkeypatch, _finding("a", note="the next run reads it whole"))
    assert parity.sweep() == []


def test_rows_that_still_differ_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    _finds(monkeypatch, _finding("a", mended_rows=4), _finding("b", 3))
    with pytest.raises(AuditError, match="b: 3 rows differ"):
        parity.prove(["a", "b"])
    _finds(monkeypatch, _finding("a", mended_rows=4), _finding("b", mended_rows=3))
    assert parity.prove(["a", "b"]) == 7


def test_a_sweep_waits_for_a_strained_source_and_then_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    healths = [pace.Health(400.0, 1), pace.Health(2.0, 1), pace.Health(400.0, 1), pace.Health(401.0, 1)]
    clock = iter([0.0, 10.0, 10.0, 20.0, 20.0, 30.0, 30.0, 30.0, 650.0, 650.0, 650.0])
    monkeypatch.setattr(pace, "look", lambda dialect, connection: healths.pop(0))
    monkeypatch.setattr(pace.time, "monotonic", lambda: next(clock))
    resting: Any = pace.Pace(None, None, 600.0)  # type: ignore[arg-type]
    assert [resting.may_go_on(None, 0) for _ in range(2)] == [False, True]
    assert not resting.may_go_on(None, 1)
    with pytest.raises(SourceError, match="600 s: 401 s behind, 1 threads running"):
        resting.may_go_on(None, 0)
