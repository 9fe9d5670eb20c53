"""Names, units and labels of the metrics, and the table that documents them."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from lake.observe.collectors import collectors
from lake.observe.metrics import METRICS, PUBLISHED, ROWS, Metric, table
from lake.settings import PROJECT

NAMES = re.compile(r"shoplake_[a-z][a-z0-9]*(_[a-z0-9]+)*")
UNITS = {"seconds": "_seconds", "Unix seconds": "_timestamp_seconds", "bytes": "_bytes"}


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_names_follow_the_conventions(metric: Metric) -> None:
    assert NAMES.fullmatch(metric.name)
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    for unit, end in UNITS.items():
        if unit == metric.unit:
            assert metric.name.endswith(end)
    assert metric.help.endswith(".")
    assert len(set(metric.labels)) == len(metric.labels)


def test_no_name_is_there_twice() -> None:
    assert max(Counter(metric.name for metric in METRICS).values()) == 1
    assert len(METRICS) > 30


def test_every_metric_is_found_by_a_collector_that_there_is() -> None:
    names = {collector.name for collector in collectors()}
    assert {name for metric in METRICS for name in metric.collectors} == names


def test_a_sample_has_a_value_for_each_label() -> None:
    assert ROWS(3, "cleaned", "orders").labels == ("cleaned", "orders")
    with pytest.raises(ValueError, match=r"shoplake_table_rows takes 2 labels"):
        ROWS(3, "cleaned")
    with pytest.raises(ValueError, match="takes 0 labels"):
        PUBLISHED(1, "x")


def test_the_guide_holds_the_table() -> None:
    guide = (PROJECT / "docs" / "monitoring.md").read_text()
    assert table() in guide, "write it anew, with what `lake.observe.metrics.table()` gives"
