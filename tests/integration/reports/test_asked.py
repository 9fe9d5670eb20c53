"""A report of metrics from Trino: what MetricFlow compiles, summed up by hand."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from lake.layers import raw
from lake.platform import catalog, sql
from lake.reports import measured
from lake.reports.definition import Report
from lake.reports.figures import Lake, compute
from lake.reports.shown import Proof
from tests.unit.reports.made_up import text

AS_OF = datetime(2026, 11, 25, 4, tzinfo=UTC)
NOW, BEFORE = AS_OF.date() - timedelta(days=1), AS_OF.date() - timedelta(days=2)
LAST_YEAR = NOW - timedelta(days=364)

ROWS = [
    # day, department, category, channel, revenue, refunds
    (NOW, "food", "bread", "web", "10.10", "0.00"),
    (NOW, "food", "meat", "store", "39.90", "25.00"),
    (NOW, None, "other", "store", "0.01", "0.00"),
    (BEFORE, "food", "bread", "web", "100.00", "5.00"),
    (BEFORE, "food", "meat", "store", "40.00", "5.00"),
    (LAST_YEAR, "food", "bread", "web", "50.00", "0.00"),
    (AS_OF.date(), "food", "bread", "web", "7777.00", "0.00"),
    (date(2025, 11, 24), "food", "bread", "web", "8888.00", "0.00"),
]

REPORT = Report.model_validate(
    {
        "name": "r",
        "title": "R",
        "description": "",
        "currency": "USD",
        "period": "day",
        "figures": [
            {"name": "a", "title": "A", "kind": "metrics", "metrics": ["revenue", "refund_rate"]},
            {"name": "b", "title": "B", "kind": "breakdown", "metric": "revenue", "by": "department"},
            {"name": "c", "title": "C", "kind": "changes", "metrics": ["revenue"]},
        ],
    }
)


@pytest.fixture
def mart(platform: None) -> Iterator[str]:
    """A catalog of Trino, of a branch whose mart of sales has `ROWS`."""
    branch = f"test_{uuid.uuid4().hex[:12]}"
    raw.prepare(catalog.MAIN)
    catalog.create_branch(branch)
    money = pa.decimal128(38, 2)
    columns = list(zip(*ROWS, strict=True))
    named = {
        "date_day": pa.array(columns[0], pa.date32()),
        **{
            name: pa.array(columns[1 + at], pa.string())
            for at, name in enumerate(("department", "category", "channel"))
        },
        **{name: pa.array(map(Decimal, columns[4 + at]), money) for at, name in enumerate(("revenue", "refunds"))},
    }
    lake, place = raw.open_catalog(branch), ("marts", "sales_by_day")
    lake.create_namespace_if_not_exists("marts")
    if lake.table_exists(place):  # the branch begins with what was published before
        lake.drop_table(place)
    table = pa.table(named)
    lake.create_table(place, table.schema).append(table)
    with sql.catalog_at(branch, branch) as trino:
        yield trino
    catalog.delete_branch(branch)


@pytest.mark.thorough
def test_what_the_lake_answers_is_what_its_rows_add_up_to(mart: str) -> None:
    metrics = measured.layer()
    measured_lake = Lake(lambda query: sql.rows(query, mart), metrics, measured.asking(metrics, mart))
    tiles, breakdown, changes = compute(REPORT, Proof("run", "commit", AS_OF), measured_lake)
    revenue, rate = tiles.tiles
    assert [revenue.value, *(each.value for each in revenue.beside)] == ["$50.01", "$140.00", "$50.00"]
    assert [rate.value, *(each.value for each in rate.beside)] == ["50.0 %", "7.1 %", "0.0 %"]
    assert text(breakdown.rows) == [
        ["food", "$50.00", "$140.00", "−64.3 %", "$50.00", "0.0 %"],
        ["(none)", "$0.01", "$0.00", "–", "$0.00", "–"],
    ]
    [story] = changes.stories
    assert story.why == "Mostly by category: bread, 100 % of the change."
    assert text(story.rows) == [["bread", "$100.00", "$10.10", "−$89.90", "100 %"]]
