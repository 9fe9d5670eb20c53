"""What rules on metrics come to, on series of which it is known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from lake.alerts.finding import Finding
from lake.alerts.judge import judge, known
from lake.alerts.rules import MetricRule
from lake.errors import LakeError
from lake.metrics import definitions
from lake.metrics.definitions import Metric
from lake.metrics.series import Amount, Segment, Series

AS_OF = date(2026, 11, 25)
YESTERDAY = AS_OF - timedelta(days=1)
RHYTHM = (80, 90, 100, 100, 120, 160, 50)
"""By weekday, from Monday."""

Values = Callable[[date], dict[Segment, int]]


@pytest.fixture(scope="module")
def metrics() -> definitions.Metrics:
    return definitions.load()


def rule(**said: Any) -> MetricRule:
    return MetricRule.model_validate({"name": "r", "description": "x", "severity": "warning", **said})


def shop(days: int, value: Values) -> Callable[[Metric, Segment, date, date], Series]:
    """A shop that is so many days old, whose metric has a value by department and channel."""

    def ask(metric: Metric, by: Segment, first: date, last: date) -> Series:
        amounts: dict[Segment, dict[date, Amount]] = {}
        for back in range(days, 0, -1):
            day = AS_OF - timedelta(days=back)
            if first <= day <= last:
                for (department, channel), amount in value(day).items():
                    named = {"department": department, "channel": channel, "category": department + " all"}
                    of = amounts.setdefault(tuple(named[name] for name in by), {})
                    of[day] = of.get(day, Amount(Decimal(0))) + Amount(Decimal(amount))
        known = [day for of in amounts.values() for day in of]
        return Series(False, amounts, min(known, default=None))

    return ask


def usual(day: date) -> dict[Segment, int]:
    # Days differ a little, without chance.
    here = RHYTHM[day.weekday()] * (100 + (day.toordinal() * 7) % 11 - 5)
    return {
        ("meat", "web"): here // 4,
        ("meat", "store"): here // 2,
        ("fish", "web"): here // 8,
        ("fish", "store"): here,
    }


def with_yesterday(factor: float, *departments: str) -> Values:
    """As usual, but for yesterday, when some departments sold a part of what they do in the web shop."""

    def value(day: date) -> dict[Segment, int]:
        return {
            segment: int(amount * factor)
            if day == YESTERDAY and segment[0] in departments and segment[1] == "web"
            else amount
            for segment, amount in usual(day).items()
        }

    return value


def judged(metrics: definitions.Metrics, asked: MetricRule, value: Values, days: int = 120) -> list[Finding]:
    return judge(asked, metrics.get("revenue"), AS_OF, shop(days, value))


@pytest.mark.parametrize(
    ("threshold", "state"),
    [({"min": 16876}, "firing"), ({"max": 16874}, "firing"), ({"min": 16875, "max": 16875}, "holds")],
)
def test_a_threshold(metrics: definitions.Metrics, threshold: dict[str, int], state: str) -> None:
    [found] = judged(metrics, rule(metric="revenue", threshold=threshold), usual)
    assert (found.state, found.value) == (state, sum(usual(YESTERDAY).values()))


def test_a_change_names_the_day_the_figures_and_the_segment_that_it_comes_from(metrics: definitions.Metrics) -> None:
    asked = rule(metric="revenue", by="channel", change={"against": "weekdays", "min_ratio": 0.6})
    store, web = judged(metrics, asked, with_yesterday(0.1, "meat"))
    assert (store.segment, store.state, store.why) == ("store", "holds", "")
    assert (web.segment, web.state) == ("web", "firing")
    assert web.summary.startswith("Revenue of web on 2026-11-24 was ")
    assert "should be at least" in web.summary
    assert "0.6 times the" in web.summary
    assert "of the weeks before" in web.summary
    assert web.why.startswith("mostly category meat all (")


def test_a_week_is_compared_with_the_weeks_before_and_a_day_with_the_year_before(metrics: definitions.Metrics) -> None:
    week = rule(metric="revenue", days=7, change={"against": "weekdays", "min_ratio": 0.97, "max_ratio": 1.03})
    [found] = judged(metrics, week, usual)
    assert found.state == "holds", found.summary
    year = rule(metric="revenue", change={"against": "year", "min_ratio": 0.9})
    assert [each.state for each in judged(metrics, year, usual)] == ["learning"]
    assert [each.state for each in judged(metrics, year, usual, days=366)] == ["holds"]


@pytest.mark.parametrize(
    ("of_yesterday", "change", "state"),
    [
        (0, {"max_ratio": 3}, "holds"),
        (0, {"min_ratio": 0.5}, "holds"),
        (7, {"min_ratio": 0.5}, "holds"),
        # How many times nothing it is, nobody can say.
        (7, {"max_ratio": 3}, "no_data"),
    ],
)
def test_what_was_nothing_before(
    metrics: definitions.Metrics, of_yesterday: int, change: dict[str, float], state: str
) -> None:
    def value(day: date) -> dict[Segment, int]:
        return {("meat", "web"): of_yesterday if day == YESTERDAY else 0}

    [found] = judged(metrics, rule(metric="revenue", change={"against": "weekdays", **change}), value)
    assert found.state == state


def test_an_anomaly_knows_the_weekday(metrics: definitions.Metrics) -> None:
    asked = rule(metric="revenue", anomaly={"below": 4, "above": 4})
    assert [each.state for each in judged(metrics, asked, usual)] == ["holds"]
    [fallen] = judged(metrics, asked, with_yesterday(0.0, "meat", "fish"))
    assert fallen.state == "firing"
    assert "is usual of this weekday" in fallen.summary
    [risen] = judged(metrics, asked, with_yesterday(4.0, "meat", "fish"))
    assert risen.state == "firing"
    assert "should be at most" in risen.summary


def test_a_day_without_anything_is_an_anomaly_and_a_change(metrics: definitions.Metrics) -> None:
    def silent(day: date) -> dict[Segment, int]:
        return {} if day == YESTERDAY else usual(day)

    anomaly = rule(metric="revenue", anomaly={"below": 4})
    change = rule(metric="revenue", change={"against": "weekdays", "min_ratio": 0.5})
    for asked in (anomaly, change):
        [found] = judged(metrics, asked, silent)
        assert (found.state, found.value, found.why) == ("firing", 0, "spread over the segments of every dimension")


def test_a_quiet_day_of_the_whole_shop_is_no_anomaly_of_a_segment_beside_the_rest(metrics: definitions.Metrics) -> None:
    def quiet(day: date) -> dict[Segment, int]:
        return {segment: amount // (2 if day == YESTERDAY else 1) for segment, amount in usual(day).items()}

    alone = rule(metric="revenue", by="department", anomaly={"below": 4})
    beside = rule(metric="revenue", by="department", anomaly={"below": 4, "beside": "rest"})
    assert {each.state for each in judged(metrics, alone, quiet)} == {"firing"}
    assert {each.state for each in judged(metrics, beside, quiet)} == {"holds"}
    found = {each.segment: each.state for each in judged(metrics, beside, with_yesterday(0.1, "meat"))}
    assert found["meat"] == "firing"


@pytest.mark.parametrize("days", [20, 55])
def test_a_young_lake_learns(metrics: definitions.Metrics, days: int) -> None:
    [found] = judged(metrics, rule(metric="revenue", anomaly={"below": 4}), usual, days)
    assert found.state == "learning"
    assert "the lake knows nothing before" in found.summary


def test_a_lake_without_the_metric_is_no_data(metrics: definitions.Metrics) -> None:
    [found] = judged(metrics, rule(metric="revenue", by="department", threshold={"min": 1}), usual, days=0)
    assert found.state == "no_data"


@pytest.mark.parametrize(
    ("metric", "by", "told"),
    [
        ("revenu", "", "there is no metric 'revenu'"),
        ("revenue", "departmnt", "metric revenue has no dimension 'departmnt'"),
        ("customers", "", "metric customers cannot be judged day by day"),
        ("churn_rate", "", "metric churn_rate cannot be judged day by day"),
    ],
)
def test_what_cannot_be_judged_is_named(metrics: definitions.Metrics, metric: str, by: str, told: str) -> None:
    with pytest.raises(LakeError, match=told):
        known(rule(metric=metric, by=by, threshold={"min": 1}), metrics)
