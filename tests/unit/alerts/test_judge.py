"""What rules on metrics come to, on series of which it is known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from lake.alerts.finding import Finding
from lake.alerts.judge import judge, known
from lake.alerts.rules import Counted, MetricRule
from lake.errors import LakeError
from lake.metrics import definitions
from lake.metrics.definitions import Metric
from lake.metrics.series import Amount, Segment, Series

AS_OF = date(2026, 11, 25)
YESTERDAY = AS_OF - timedelta(days=1)
RHYTHM = (80, 90, 100, 100, 120, 160, 50)
"""By weekday, from Monday."""

Values = Callable[[date], dict[Segment, int]]


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
    return judge(asked, metrics.get("revenue"), AS_OF, shop(days, value), no_counts)


def no_counts(counted: Counted, first: date, last: date) -> Series:
    raise AssertionError("nothing is to be counted")


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


def test_a_quiet_day_of_the_whole_shop_is_no_anomaly_of_a_segment_beside_the_others(
    metrics: definitions.Metrics,
) -> None:
    def quiet(day: date) -> dict[Segment, int]:
        return {segment: amount // (2 if day == YESTERDAY else 1) for segment, amount in usual(day).items()}

    alone = rule(metric="revenue", by="department", anomaly={"below": 4})
    beside = rule(metric="revenue", by="department", anomaly={"below": 4, "beside": "others"})
    assert {each.state for each in judged(metrics, alone, quiet)} == {"firing"}
    assert {each.state for each in judged(metrics, beside, quiet)} == {"holds"}
    shut = judged(metrics, beside, lambda day: {} if day == YESTERDAY else usual(day))
    assert {each.state for each in shut} == {"holds"}
    found = {each.segment: each.state for each in judged(metrics, beside, with_yesterday(0.1, "meat"))}
    assert found["meat"] == "firing"


def fallen(day: date, part: float, since: int) -> dict[Segment, int]:
    """As usual, but for the meat of the last days, of which a part is left."""
    is_low = (YESTERDAY - day).days < since
    return {each: int(came * (part if is_low and each[0] == "meat" else 1)) for each, came in usual(day).items()}


def test_a_fall_that_lasts_is_an_anomaly_of_the_days_together(metrics: definitions.Metrics) -> None:
    """Days differ by a twentieth up and down, so a tenth off one is nothing, and off each of five is something."""

    def value(day: date) -> dict[Segment, int]:
        swing = 1 + 0.06 * ((day.toordinal() * 5) % 9 - 4) / 4
        return {each: int(came * (swing if each[0] == "meat" else 1)) for each, came in fallen(day, 0.86, 5).items()}

    of_one, of_five = (
        rule(metric="revenue", by="department", days=days, anomaly={"below": 4, "beside": "others"}) for days in (1, 5)
    )
    assert {each.segment: each.state for each in judged(metrics, of_one, value)}["meat"] == "holds"
    found = {each.segment: each for each in judged(metrics, of_five, value)}
    assert (found["meat"].state, found["fish"].state) == ("firing", "holds")
    assert found["meat"].summary.startswith("Revenue of meat from 2026-11-20 to 2026-11-24 was ")

    # One wild day is told as such, and not for as long as it is among the days.
    wild = {each.segment: each.state for each in judged(metrics, of_five, with_yesterday(0.1, "meat"))}
    assert wild["meat"] == "holds"


def test_what_is_counted_is_judged_and_the_metric_says_which_segments_and_why(metrics: definitions.Metrics) -> None:
    asked = rule(
        metric="revenue",
        by="department",
        largest=1,
        counted={"what": "Orders", "query": "SELECT $first, $last"},
        anomaly={"below": 4, "beside": "others"},
    )
    asked_for = []

    def count(counted: Counted, first: date, last: date) -> Series:
        asked_for.append(counted.bound(first, last))
        days = [first + timedelta(days=each) for each in range((last - first).days + 1)]
        # Fish has the fewer orders; by the metric, it is the larger one.
        amounts = {
            (name,): {day: Amount(Decimal(orders // (2 if (day, name) == (YESTERDAY, "fish") else 1))) for day in days}
            for name, orders in (("fish", 200), ("meat", 900))
        }
        return Series(False, amounts, first)

    [found] = judge(asked, metrics.get("revenue"), AS_OF, shop(120, with_yesterday(0.1, "fish")), count)
    assert asked_for == ["SELECT DATE '2026-08-04', DATE '2026-11-24'"]
    assert (found.segment, found.state, found.value) == ("fish", "firing", 100)
    assert found.summary.startswith("Orders of fish on 2026-11-24 was 100 and should be at least 1")
    assert found.why.startswith("mostly channel web (")
    assert found.course
    assert (found.course.what, found.course.unit) == ("Orders of fish", "count")


def test_what_fires_knows_how_it_went(metrics: definitions.Metrics) -> None:
    anomaly = rule(metric="revenue", anomaly={"below": 4})
    change = rule(metric="revenue", change={"against": "weekdays", "min_ratio": 0.5})
    threshold = rule(metric="revenue", days=2, threshold={"max": 7})
    [strays], [less], [more] = (
        judged(metrics, asked, with_yesterday(0.0, "meat", "fish") if asked is not change else lambda day: usual(day))
        for asked in (anomaly, change, threshold)
    )
    assert less.course is None, "it holds"
    assert strays.course
    assert strays.course.is_band
    first, last = strays.course.points[0], strays.course.points[-1]
    assert (first.day, last.day) == (AS_OF - timedelta(days=56), YESTERDAY)
    assert first.value == sum(usual(first.day).values())
    assert first.low
    assert first.low < first.value
    assert first.high is None
    assert last.value == strays.value
    assert f"should be at least {last.low:,.2f}" in strays.summary
    assert more.course
    assert (more.course.what, more.course.is_band) == ("Revenue, 2 days together", False)
    assert {(point.low, point.high) for point in more.course.points} == {(None, Decimal(7))}
    before = more.course.points[-2]
    assert before.value == sum(sum(usual(YESTERDAY - timedelta(days=back)).values()) for back in (1, 2))


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


def test_a_quotient_is_not_judged_beside_others(metrics: definitions.Metrics) -> None:
    asked = rule(metric="refund_rate", by="department", anomaly={"above": 4, "beside": "others"})
    with pytest.raises(LakeError, match="metric refund_rate is a quotient, which is not judged beside others"):
        known(asked, metrics)
