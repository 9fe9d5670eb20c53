"""What a receipt says of several sources, and what is left out of a lake without marts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from lake.layers import marts
from lake.reports import deliver
from lake.run import Run
from lake.steps import pipeline

EARLY, LATE = "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:09+00:00"


def extracted(source: str, table: str, instant: str) -> list[dict[str, Any]]:
    snapshot = {"source": source, "instant": instant, "position": f"of {source}", "server": "11.4", "way": "single"}
    counts = {"mode": "full", "way": "full", "reason": "new", "rows": 2, "bytes": 9, "nulled": {}, "source_rows": 2}
    return [{"table": table, "source": source, **counts, "snapshot": snapshot}]


def cleaned(table: str) -> list[dict[str, Any]]:
    return [{"table": table, "judged": 2, "valid": 2, "refused": 0, "deleted": 0, "reasons": {}}]


@pytest.mark.parametrize(
    ("names", "source_position"), [(["crm", "shop"], "of shop"), (["wms", "crm"], "of crm"), (["shop"], "of shop")]
)
def test_a_receipt_names_the_instant_and_position_of_every_source(
    monkeypatch: pytest.MonkeyPatch, names: list[str], source_position: str
) -> None:
    monkeypatch.setattr("lake.ledger.publish.publish", lambda run, evidence: SimpleNamespace(to_json=lambda: evidence))
    run = Run("r", "base", sources=tuple(names)).to_json()
    instants = {"crm": EARLY, "shop": LATE, "wms": LATE}
    found = [extracted(name, f"{name}_table", instants[name]) for name in names]
    built = {"manifest_sha256": "", "rows": {}, "tests": {}}
    receipt = pipeline.publish(run, found, [cleaned(f"{name}_table") for name in names], {}, built, {})

    expected = {name: {"instant": instants[name], "position": f"of {name}", "server": "11.4"} for name in names}
    assert receipt["sources"] == expected
    assert receipt["source_position"] == source_position
    assert {table: counts["source"] for table, counts in receipt["tables"].items()} == {f"{n}_table": n for n in names}
    assert receipt["layers"]["cleaned"] == 2 * len(names)


def test_a_run_is_the_same_after_a_way_through_json() -> None:
    run = Run("r", "base", "full", "v1", sources=("shop", "crm"), has_marts=False)
    assert Run.from_json(run.to_json()) == run


def test_reports_on_marts_wait_until_there_are_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marts, "catalog_tables", lambda reference: ["cleaned.crm_contacts", "raw.marts_of_ours"])
    assert deliver.due("abc") == []
    assert marts.readable(["SELECT 1 FROM cleaned.marts_of_ours"], "abc")
    assert not marts.readable(["SELECT 1 FROM cleaned.x", "SELECT 1 FROM marts.daily_revenue"], "abc")
    monkeypatch.setattr(marts, "catalog_tables", lambda reference: ["marts.daily_revenue"])
    assert deliver.due("abc") == ["business"]
