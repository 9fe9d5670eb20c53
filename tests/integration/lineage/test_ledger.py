"""``ops.lineage`` in the lake's own catalog."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from lake.ledger import lineage_ledger, ops
from lake.ledger.lineage_ledger import Event
from lake.platform import catalog

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def branch(iceberg: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A branch for this test's books alone; its namespace has the same name."""
    name = f"ops_{uuid.uuid4().hex[:8]}"
    monkeypatch.setattr(ops, "BRANCH", name)
    monkeypatch.setattr(ops, "NAMESPACE", name)
    yield name
    catalog.delete_branch(name)


def test_what_has_changed_is_kept_beside_what_was_and_main_stays(branch: str) -> None:
    main = catalog.head()
    events = [Event("clean.t", json.dumps({"job": "clean"})), Event("extract.t", json.dumps({"job": "extract"}))]
    assert lineage_ledger.sha256_at(NOON) is None
    assert lineage_ledger.write("r1", NOON, events, "a")
    assert not lineage_ledger.write("r1", NOON, events, "a"), "a publish that is tried again"
    assert not lineage_ledger.write("r2", NOON + timedelta(hours=1), events, "a")
    assert lineage_ledger.write("r3", NOON + timedelta(hours=2), events[:1], "b")
    assert not lineage_ledger.write("r1", NOON, events, "a"), "a task that is cleared"
    # Back to what it was before: the last one counts.
    assert lineage_ledger.write("r4", NOON + timedelta(hours=3), events, "a")
    hours = [lineage_ledger.sha256_at(NOON + timedelta(hours=hour)) for hour in (-1, 0, 1, 2, 3)]
    assert hours == [None, "a", "a", "b", "a"]
    assert lineage_ledger.events("a") == events
    assert lineage_ledger.events("b") == events[:1]
    assert lineage_ledger.events("c") == []
    table = ops.find(lineage_ledger.TABLE)
    assert table is not None
    rows = table.scan().to_arrow().to_pylist()
    assert sorted((row["run_id"], row["job"], row["lineage_sha256"]) for row in rows) == [
        ("r1", "clean.t", "a"), ("r1", "extract.t", "a"), ("r3", "clean.t", "b"),
        ("r4", "clean.t", "a"), ("r4", "extract.t", "a"),
    ]  # fmt: skip
    assert catalog.head() == main
