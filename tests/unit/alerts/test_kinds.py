"""Every kind of alert that the platform tells by itself has an owner and a runbook."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lake.alerts import beat, drift, failures, freshness, held_back, kinds, reach, runs, watch
from lake.alerts.alert import Alert
from lake.alerts.check import NO_DATA
from lake.alerts.rules import load
from lake.settings import PROJECT, settings

TOLD = {
    failures.FAILED, runs.UNENDED, runs.BROKEN, freshness.TABLE, freshness.SOURCE, held_back.TABLE, held_back.SOURCE,
    drift.DRIFTED, reach.AWAY, watch.UNKNOWN, beat.SILENT, NO_DATA,
}  # fmt: skip


def test_every_alert_that_is_told_is_of_a_kind() -> None:
    assert set(kinds.KINDS) == TOLD


@pytest.mark.parametrize("name", [*kinds.KINDS, *(rule.name for rule in load(settings().alert_rules))])
def test_every_kind_and_every_rule_has_a_runbook(name: str) -> None:
    page = PROJECT / kinds.runbook(name)
    assert page.is_file(), f"{name} has no runbook: write {page}"
    assert page.stem in (name, kinds.of(name).runbook)


def test_an_alert_says_who_looks_after_it_and_where_to_read_on() -> None:
    alert = Alert("TableStale", "warning", "orders is old", {"source": "shop", "table": "orders"})
    assert alert.identity == {
        "alertname": "TableStale", "severity": "warning", "team": "data", "source": "shop", "table": "orders",
    }  # fmt: skip
    assert alert.told["runbook"] == "docs/runbooks/LakeTableStale.md"


def test_a_label_of_the_alert_names_another_team() -> None:
    assert Alert("sales", "warning", "few", {"rule": "sales", "team": "sales"}).identity["team"] == "sales"


def test_the_labels_of_a_kind_are_those_that_are_told() -> None:
    told = [
        beat.beat(datetime(2026, 1, 1, tzinfo=UTC)),
        failures.Failure("shop_lake", "r1", "no").alert,
        freshness.stale([freshness.Age("a", "crm", datetime(2026, 1, 1, tzinfo=UTC), minutes=1)], datetime.now(UTC))[0],
        *reach.away({"nessie": lambda: 1 / 0}, pause_seconds=0),
    ]
    assert len(told) == 4
    for alert in told:
        assert set(alert.labels) == set(kinds.of(alert.name).labels), alert.name
