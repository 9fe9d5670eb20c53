"""Whatever a lake holds, the page stays of a size that Prometheus takes well."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from lake.alerts.alertmanager import Up
from lake.alerts.freshness import Age
from lake.ledger.receipts import Receipt
from lake.observe import bounds, files, freshness, parity, published, shop_alerts
from lake.observe.business import declared, figures, latest
from lake.observe.business.figures import Figures, Of
from lake.observe.collector import Collector, Observer
from lake.observe.exposition import Page
from lake.observe.metrics import Sample

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
RENDERED_SECONDS = 2.0
"""Of the processor; it takes a tenth of it."""


def lake(tables: int) -> Iterator[Sample]:
    """Everything that can be told of so many tables, all of them held, in quarantine for ten reasons, and drifted."""
    names = [f"a_table_with_quite_a_long_name_{number}" for number in range(tables)]
    reasons = {f"not_accepted:column_{number}": 10 - number for number in range(10)}
    told: dict[str, Any] = {
        "source": "shop", "mode": "held back", "held_since": NOW.isoformat(), "source_rows": 7,
        "cleaned_rows": 5, "quarantine_rows": 2, "judged": 2, "reasons": reasons,
    }  # fmt: skip
    receipt = Receipt("r", "", "", "", NOW.isoformat(), "", "", tables=dict.fromkeys(names, told))
    yield from published.samples(receipt, dict.fromkeys(names, reasons))
    yield from freshness.samples([Age(name, "shop", NOW - timedelta(hours=1), minutes=60) for name in names], NOW)
    yield from files.samples({f"marts.{name}": files.Summary(rows=7) for name in names})
    row = {"source": "shop", "drift_rows": 1, "lake_rows": 7, "verified_through": NOW}
    metrics = [f"a_metric_{number}" for number in range(declared.MOST)]
    days: dict[str, str] = {f"{NOW - timedelta(days=back):%Y-%m-%d}": "7" for back in range(36)}
    departments = {f"DEPARTMENT {number}": days for number in range(figures.MOST_DEPARTMENTS + 1)}
    told_of = Figures(Of("", "", ""), dict.fromkeys(metrics, days), dict.fromkeys(metrics, departments))
    yield from latest.samples(told_of, Receipt("r", "", NOW.isoformat(), "", "", "", ""), NOW.date())
    up = [Up({"alertname": "a", "rule": "a", "segment": str(number)}, {}) for number in range(shop_alerts.MOST + 9)]
    yield from shop_alerts.samples(up)
    yield from parity.samples(
        [{**row, "table": name, "against": against} for name in names for against in ("source", "primary")]
    )


def page(tables: int) -> tuple[int, float]:
    """How many series there are, and how long one page takes."""
    observer = Observer(Collector("all", lambda: lake(tables), 10))
    observer.collect()
    registry = CollectorRegistry()
    registry.register(Page([observer]))
    began = time.process_time()
    lines = generate_latest(registry).decode().splitlines()
    return sum(not line.startswith("#") for line in lines), time.process_time() - began


@pytest.mark.parametrize("tables", [bounds.MOST_TABLES, bounds.MOST_TABLES + 500])
def test_the_worst_of_two_thousand_tables_is_within_the_bound(tables: int) -> None:
    series, seconds = page(tables)
    assert 16 * bounds.MOST_TABLES <= series <= bounds.MOST_SERIES
    assert seconds < RENDERED_SECONDS


def test_the_largest_tables_and_those_with_trouble_stay() -> None:
    rows = {"small": 1, "large": 900, "medium": 50, "ill": 0}
    assert bounds.shown(rows, ["ill"], most=2) == bounds.Shown(frozenset({"ill", "large"}), 2)
    assert bounds.shown(rows, ["ill"], most=4) == bounds.Shown(frozenset(rows), 0)
    assert bounds.shown({}, ["ill"]) == bounds.Shown(frozenset(), 0)


def test_the_page_says_how_many_are_left_out() -> None:
    found = {sample.labels: sample.value for sample in lake(bounds.MOST_TABLES + 3) if "left_out" in sample.metric.name}
    assert found == {(name,): 3 for name in ("receipts", "freshness", "lake", "parity")}


def test_the_commonest_counts_and_the_rest() -> None:
    assert bounds.commonest({"a": 1, "b": 5, "c": 3, "d": 1}, 2) == {"b": 5, "c": 3, "other": 2}
    assert bounds.commonest({"a": 1, "b": 5}, 2) == {"b": 5, "a": 1}
    assert bounds.commonest({"other": 9, "b": 5, "c": 1}, 2) == {"other": 10, "b": 5}
