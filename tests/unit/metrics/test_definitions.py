"""The metrics of this checkout: what is known of them, how questions compile, and what a wrong definition is told."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lake.commands.main import app
from lake.contracts import load_all
from lake.errors import LakeError
from lake.layers.marts import DBT
from lake.metrics import definitions, page
from lake.metrics.ask import Question
from lake.metrics.check import OWNERS, mistakes
from lake.metrics.compiler import Compiler
from lake.metrics.definitions import Metrics


@pytest.fixture(scope="module")
def compiler(metrics: Metrics) -> Compiler:
    return Compiler(metrics.manifest)


def test_revenue_is_defined_once_and_has_the_category(metrics: Metrics) -> None:
    revenue = metrics.get("revenue")
    assert (revenue.unit, revenue.owner, revenue.good, revenue.grain) == ("money", "sales", "up", "day")
    assert "category" in revenue.dimensions
    assert revenue.tables == ("marts.sales_by_day",)
    assert revenue.expression == "sum of revenue in marts.sales_by_day"


def test_a_metric_of_others_has_what_they_share(metrics: Metrics) -> None:
    rate = metrics.get("margin_rate")
    assert rate.dimensions == ("category", "channel", "department")
    assert rate.expression == "cast(revenue_with_cost - cost as decimal(38, 6)) / nullif(revenue_with_cost, 0)"
    assert metrics.get("churn_rate").grain == "month"


def test_owners_are_those_of_the_contracts() -> None:
    assert {contract.owner for contract in load_all(["shop"]).values()} == {*OWNERS}


def test_a_question_becomes_one_statement(metrics: Metrics, compiler: Compiler) -> None:
    question = Question(metrics.get("revenue"), ("category",), "month", date(2026, 1, 1), date(2026, 3, 31))
    statement = " ".join(compiler.compile(question).split())
    assert statement.startswith("SELECT metric_time__month , sale__category , SUM(revenue) AS revenue FROM")
    assert "WHERE ( metric_time__day >= date '2026-01-01' ) AND ( metric_time__day <= date '2026-03-31' )" in statement
    assert statement.endswith("ORDER BY metric_time__month, sale__category")


def test_a_percentile_is_that_of_the_nearest_rank(metrics: Metrics, compiler: Compiler) -> None:
    p95 = metrics.get("delivery_days_p95")
    assert (p95.formula.kind, p95.expression) == (
        "whole", "exact 95th percentile of delivery_days in marts.order_details",
    )  # fmt: skip
    statement = " ".join(compiler.compile(Question(p95, ("channel",), "week")).split())
    assert (
        "ELEMENT_AT(ARRAY_AGG(delivery_days ORDER BY delivery_days) FILTER (WHERE delivery_days IS NOT NULL), "
        "CAST(CEILING(0.95 * NULLIF(COUNT(delivery_days), 0)) AS INTEGER)) AS delivery_days_p95" in statement
    )
    assert "approx" not in statement


def test_helpers_are_listed_apart_and_can_be_asked_for(metrics: Metrics, compiler: Compiler) -> None:
    helpers = {metric.name for metric in metrics if metric.is_helper}
    assert {"stars", "delivery_hours_in_all"} < helpers and not {"revenue", "review_score", "orders"} & helpers
    assert "SUM(stars) AS stars" in " ".join(compiler.compile(Question(metrics.get("stars"))).split())
    asked, _, apart = page.written(metrics).partition("\n## Helpers\n")
    for metric in metrics:
        listed = [f"<br>`{metric.name}` |" in part for part in (asked, apart)]
        assert listed == [not metric.is_helper, metric.is_helper], metric.name


def test_the_command_lists_helpers_apart(metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definitions, "load", lambda: metrics)
    told = CliRunner().invoke(app, ["metric"])
    assert told.exit_code == 0
    names = [line[1:].split(" ", 1)[0] for line in told.output.splitlines()]
    assert names.index("revenue") < names.index("helper") < names.index("stars")
    assert names.count("revenue") == names.count("stars") == 1


@pytest.mark.parametrize(
    ("name", "by", "grain", "said", "way_out"),
    [
        ("revenue", ("categori",), "", "metric revenue has no dimension 'categori'", "did you mean category?"),
        ("revenue", ("segment",), "", "has no dimension 'segment'", "there is category, channel, department"),
        ("churn_rate", ("channel",), "", "metric churn_rate has no dimension 'channel'", "there is none"),
        ("revenue", (), "weak", "'weak' is no period", "did you mean week?"),
        ("churn_rate", (), "week", "metric churn_rate is known by month, not by week", "ask for a longer one"),
    ],
)
def test_a_question_that_cannot_be_asked(
    metrics: Metrics, compiler: Compiler, name: str, by: tuple[str, ...], grain: str, said: str, way_out: str
) -> None:
    with pytest.raises(LakeError) as error:
        compiler.compile(Question(metrics.get(name), by, grain))
    assert said in str(error.value) and way_out in str(error.value)


def test_a_metric_that_there_is_not(metrics: Metrics) -> None:
    with pytest.raises(LakeError, match=r"there is no metric 'revenu'\n.*did you mean revenue\?"):
        metrics.get("revenu")


def test_days_in_the_wrong_order(metrics: Metrics) -> None:
    with pytest.raises(LakeError, match="2026-03-01 lies after 2026-01-01"):
        Question(metrics.get("revenue"), first=date(2026, 3, 1), last=date(2026, 1, 1))


def test_the_page_is_what_the_definitions_say(metrics: Metrics, tmp_path: Path, monkeypatch: Any) -> None:
    assert page.PAGE.read_text("utf-8") == page.written(metrics)
    monkeypatch.setattr(page, "load", lambda: metrics)
    monkeypatch.setattr(page, "PROJECT", tmp_path)
    stale = tmp_path / "metrics.md"
    stale.write_text("Revenue is what we say it is.")
    assert page.main(["--check"], stale) == 1
    assert page.main([], stale) == 0
    assert page.main(["--check"], stale) == 0


Edit = Callable[[str, str], list[str]]


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """Called with what stands in the definitions and what takes its place: the mistakes that are told."""
    project = tmp_path / "dbt"
    shutil.copytree(DBT / "models" / "marts", project / "models" / "marts")
    shutil.copytree(DBT / "models" / "metrics", project / "models" / "metrics")

    def edit(old: str, new: str) -> list[str]:
        (file,) = [one for one in (project / "models" / "metrics").glob("*.yml") if old in one.read_text()]
        file.write_text(file.read_text().replace(old, new, 1))
        return mistakes(project)

    return edit


def test_these_definitions_have_no_mistake() -> None:
    assert mistakes(DBT) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("expr: gross_revenue}", "expr: gros_revenue}", "has no column 'gros_revenue'; did you mean gross_revenue?"),
        ("{name: segment,", "{name: segmnt,", "customer_value has no column 'segmnt'; did you mean segment?"),
        ("ref('payments_by_day')", "ref('payment_by_day')", "which is no mart; did you mean payments_by_day?"),
        ("measure: sold_gross}", "measure: sold_gros}", "there is no measure 'sold_gros'; did you mean sold_gross?"),
        (
            "[{name: discount}, {name: gross",
            "[{name: discunt}, {name: gross",
            "there is no metric 'discunt'; did you mean discount?",
        ),
        ("revenue - refunds,", "revenue - refund,", "names 'refund', which is not one of its metrics; did you mean"),
        ("unit: stars", "unit: star", "metric review_score has the unit 'star'; did you mean stars?"),
        ("{unit: position, ", "{", "metric search_position has no unit; there is count, days"),
        ("unit: stars, owner: merchandising", "unit: stars, owner: merchandise", "'merchandise'; did you mean merch"),
        (
            "merchandising, good: down}}\n  - name: clicked_s",
            "merchandising, good: side}}\n  - name: clicked_s",
            "'side'",
        ),
        ("{percentile: 0.95, use", "{percentile: 95, use", "has the percentile 95; say one between 0 and 1"),
        ("{percentile: 0.5, use_discrete", "{use_discrete", "has the percentile None; say one between 0 and 1"),
        (
            "0.5, use_discrete_percentile: true",
            "0.5, use_approximate_percentile: true",
            "is no exact percentile; say use_",
        ),
        (
            "0.5, use_discrete_percentile: true",
            "0.5, use_discrete_percentile: false",
            "is no exact percentile; say use_",
        ),
        ("agg: count_distinct", "agg: median", "semantic model order_details has the agg 'median'; say percentile"),
        (
            "up, helper: true}}\n  - name: days_b",
            "up, helper: yes}}\n  - name: days_b",
            "has the helper 'yes'; say true, or leave it out",
        ),
        (
            "owner: finance, good: up}",
            "owner: finance, good: up, helper: true}",
            "net_revenue is a helper, but no metric",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place_and_a_way_out(edited: Edit, old: str, new: str, said: str) -> None:
    found = edited(old, new)
    assert any(said in line for line in found), found
    assert all(line.startswith("dbt/models/metrics/") and line.split(":")[1].isdigit() for line in found)
