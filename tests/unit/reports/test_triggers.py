"""Which published run the DAGs that wait for the lake work on."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lake.ledger import receipts

FILE = Path(__file__).parents[3] / "dags" / "triggers.py"


@pytest.fixture
def triggers() -> Any:
    spec = importlib.util.spec_from_file_location("triggers", FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _proof(run_id: str) -> dict[str, str]:
    return {"run_id": run_id, "lake_commit": "c" + run_id, "source_instant": "2026-11-23T10:00:00+00:00"}


def _event(hour: int, run_id: str) -> SimpleNamespace:
    return SimpleNamespace(timestamp=datetime(2026, 11, 23, hour, tzinfo=UTC), extra={**_proof(run_id), "more": 1})


def test_of_several_publishes_the_last_one_counts(triggers: Any) -> None:
    events = {"published": [_event(9, "a"), _event(11, "c"), _event(10, "b")]}
    assert triggers.published_run({"triggering_asset_events": events}) == _proof("c")


def test_who_leaves_no_publish_out_gets_all_of_them_in_their_order(triggers: Any) -> None:
    events = {"published": [_event(9, "a"), _event(11, "c"), _event(10, "b")]}
    found = triggers.published_runs({"triggering_asset_events": events})
    assert found == [_proof("a"), _proof("b"), _proof("c")]


@pytest.mark.parametrize("context", [{}, {"triggering_asset_events": {}}])
def test_started_by_hand_it_takes_the_newest_receipt(
    monkeypatch: pytest.MonkeyPatch, triggers: Any, context: dict[str, Any]
) -> None:
    monkeypatch.setattr(receipts, "latest", lambda: SimpleNamespace(**_proof("r"), layers={}))
    assert triggers.published_run(context) == _proof("r")
    assert triggers.published_runs(context) == [_proof("r")]
