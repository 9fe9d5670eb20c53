"""Each metric that the published lake tells is what the shop's own rows say, to the last digit."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pymysql.cursors import DictCursor

from lake.metrics.ask import Question, ask
from lake.metrics.compiler import Compiler
from lake.metrics.definitions import Metrics, load
from tests.end_to_end.driving import lake, shop
from tests.end_to_end.shop_figures import Month, Shop, figures, month_after, standing

TABLES = (
    "orders", "order_items", "payments", "refunds", "shipments", "reviews", "clickstream", "campaigns",
    "campaign_customers", "coupon_redemptions", "inventory", "products",
)  # fmt: skip


@pytest.fixture(scope="module")
def rows(published: dict[str, Any]) -> Shop:
    tables = {}
    with shop() as connection, connection.cursor(DictCursor) as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT * FROM {table}")
            tables[table] = list(cursor.fetchall())
    for event in tables["clickstream"]:
        event["properties"] = json.loads(event["properties"] or "{}")
    return Shop(tables)


@pytest.fixture(scope="module")
def months(rows: Shop) -> list[Month]:
    """Three whole months, the last one long enough ago that a customer may have come back since."""
    this = rows.sold[-1]["ordered_at"].date().replace(day=1)
    return [Month(rows, month_after(this, -back)) for back in (4, 3, 2)]


@pytest.fixture(scope="module")
def metrics() -> Metrics:
    return load()


def test_every_metric_of_three_months_is_what_the_shop_s_rows_say(metrics: Metrics, months: list[Month]) -> None:
    compiler = Compiler(metrics.manifest)
    expected = [figures(month) for month in months]
    told: dict[str, list[Any]] = {}
    for metric in (metrics.get(name) for name in expected[0]):
        asked = Question(metric, grain="month", first=months[0].first, last=_last_day(months[-1].first))
        of_month = {row[0]: row[1] for row in ask(compiler, asked).rows}
        told[metric.name] = [of_month.get(month.first) for month in months]
    differ = {
        name: (values, [month[name] for month in expected])
        for name, values in told.items()
        # Of a month in which nothing happened there is no row, or a zero.
        if [value or 0 for value in values] != [month[name] or 0 for month in expected]
    }
    assert differ == {}
    assert all(any(values) for values in told.values()), "no metric was tried on nothing alone"


def test_what_is_known_of_the_last_day_alone_is_what_the_shop_s_rows_say(
    metrics: Metrics, rows: Shop, months: list[Month]
) -> None:
    compiler, expected = Compiler(metrics.manifest), standing(rows)
    assert {metric.name for metric in metrics} == {*figures(months[0]), *expected}
    told = {name: ask(compiler, Question(metrics.get(name))).rows for name in expected}
    assert told == {name: [[value]] for name, value in expected.items()}
    assert expected["units_sold_lately"]


def test_revenue_by_category_adds_up_to_revenue(published: dict[str, Any]) -> None:
    by_category = json.loads(lake("metric", "revenue", "--by", "category", "--json"))
    (all_of_it,) = json.loads(lake("metric", "revenue", "--json"))
    assert len(by_category) > 100
    assert sum(Decimal(row["revenue"]) for row in by_category) == Decimal(all_of_it["revenue"])


def _last_day(first: date) -> date:
    following = month_after(first, 1)
    return date.fromordinal(following.toordinal() - 1)
