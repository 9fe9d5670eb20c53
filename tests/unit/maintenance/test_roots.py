"""Which states of the lake are kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from lake.ledger.receipts import Receipt
from lake.maintenance import reachable
from lake.maintenance.runs import Plan
from lake.platform import catalog
from lake.platform.catalog import Commit, Reference

NOW = datetime(2026, 7, 15, tzinfo=UTC)
SHOWN = {"main": [("m3", 1), ("m2", 20), ("m1", 30), ("m0", 31)], "ops": [("o2", 2), ("o1", 50), ("o0", 51)]}


@pytest.fixture(autouse=True)
def lake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two branches with their commits and how many hours ago they were made, the newest first."""

    def history(reference: str) -> Iterator[Commit]:
        for commit, hours in SHOWN[reference.partition("@")[0]]:
            yield Commit(commit, "", (NOW - timedelta(hours=hours)).isoformat())

    monkeypatch.setattr(catalog, "head", lambda: "m3")
    monkeypatch.setattr(catalog, "history", history)


def receipt(run_id: str, commit: str) -> Receipt:
    return Receipt(run_id, commit, "", "", "", "", "")


def test_main_comes_first_and_every_state_once() -> None:
    references = (
        Reference("receipt_r", "m3", is_tag=True),
        Reference("receipt_q", "old", is_tag=True),
        Reference("main", "m3", is_tag=False),
        Reference("run_now", "r1", is_tag=False, base="m1"),
        Reference("ops", "o2", is_tag=False),
    )
    plan = Plan((receipt("r", "m3"), receipt("q", "old"), receipt("new", "untagged")), (), references, ())
    roots = reachable.roots(plan, NOW - timedelta(hours=24))
    assert roots[0].why == "main"
    # Of main and ops what they have shown for a day, with what they showed when it began.
    assert [root.reference.partition("@")[2] for root in roots] == [
        "m3",
        "old",
        "m2",
        "m1",
        "r1",
        "o2",
        "o1",
        "untagged",
    ]


def test_what_is_forgotten_is_no_root() -> None:
    tag, branch = Reference("receipt_q", "old", is_tag=True), Reference("run_dead", "r1", is_tag=False, base="m0")
    plan = Plan((), (receipt("q", "old"),), (tag, branch), (branch,))
    assert plan.outdated_tags == [tag]
    assert [root.reference for root in reachable.roots(plan, NOW)] == ["main@m3"]
    other = Reference("kept_by_hand", "old", is_tag=True)
    plan = Plan((), (), (other,), ())
    assert [root.reference for root in reachable.roots(plan, NOW)] == ["main@m3", "kept_by_hand@old"]
