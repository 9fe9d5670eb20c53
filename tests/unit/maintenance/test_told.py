"""What people are told: what maintenance does, and why something can no longer be read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from lake.commands.main import app
from lake.errors import LakeError, ServiceError
from lake.ledger import receipts, retention
from lake.ledger.receipts import Receipt
from lake.maintenance import collect, compact, trim
from lake.maintenance.collect import Collected
from lake.maintenance.compact import Compacted
from lake.maintenance.gone import Gone
from lake.maintenance.statistics import Need
from lake.platform import catalog, sql

DUE = [Need("raw.orders", True, False, True, 7), Need("cleaned.orders", False, True, False, 5)]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is done is noted, and nothing is."""
    noted: list[Any] = []
    collected = Collected((Gone("receipts", 2), Gone("lake", 3, 4_000)), (Gone("main", 1, 9),))
    groups = [Compacted(("raw.orders",), True), Compacted(("cleaned.orders",), False)]
    monkeypatch.setattr(compact, "due", lambda now: DUE)
    monkeypatch.setattr("lake.commands.maintenance._compact", lambda now: noted.append("compact") or groups)
    monkeypatch.setattr(collect, "collect", lambda now, is_dry: noted.append(("collect", is_dry)) or collected)
    monkeypatch.setattr(trim, "trim", lambda now, is_dry: noted.append(("trim", is_dry)) or [Gone("logs", 1, 6)])
    return noted


def test_a_dry_run_tells_what_would_go(calls: list[Any]) -> None:
    result = CliRunner().invoke(app, ["maintenance", "--dry-run", "--json"])
    assert calls == [("collect", True), ("trim", True)]
    assert json.loads(result.output) == {
        "dry_run": True,
        "gone": [
            {"kind": "receipts", "count": 2, "bytes": None},
            {"kind": "lake", "count": 3, "bytes": 4000},
            {"kind": "logs", "count": 1, "bytes": 6},
        ],
        "held": [{"kind": "main", "count": 1, "bytes": 9}],
        "rewritten": [
            {"table": "raw.orders", "bytes": 7, "why": ["small files", "manifests"], "published": None},
            {"table": "cleaned.orders", "bytes": 5, "why": ["deletes"], "published": None},
        ],
    }


def test_people_are_told_the_same(calls: list[Any]) -> None:
    result = CliRunner().invoke(app, ["maintenance"])
    assert calls == ["compact", ("collect", False), ("trim", False)]
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert {"lake 3 4,000", "receipts 2", "main 1 9"} <= set(lines)
    assert "raw.orders: written anew (small files, manifests)" in lines
    assert "cleaned.orders: left: a run came in between (deletes)" in lines


@pytest.mark.parametrize(
    ("commit", "said"),
    [
        ("gone", "of which no receipt is kept: Trino could not"),
        ("kept", "Trino could not"),
        ("head", "Trino could not"),
    ],
)
def test_a_commit_that_is_not_kept_is_told_with_the_policy(
    commit: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(statement: str, catalog: str = "") -> Any:
        raise ServiceError("Trino could not read", "look")

    monkeypatch.setattr(sql, "rows", lambda statement: [])
    monkeypatch.setattr(sql, "query", refuse)
    monkeypatch.setattr(catalog, "head", lambda: "head")
    monkeypatch.setattr(receipts, "receipts", lambda: [Receipt("a", "kept", "", "", "", "", "")])
    result = CliRunner().invoke(app, ["sql", "--at", commit, "select 1"])
    assert isinstance(result.exception, LakeError)
    assert said in str(result.exception)
    assert ("the last one of each month for ever" in str(result.exception)) == (commit == "gone")
    assert retention.unreadable("kept", result.exception) is result.exception
