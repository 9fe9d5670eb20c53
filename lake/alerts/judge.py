"""Judging a metric by a rule: what it was of a day or some days, what it should be, and why it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from lake.alerts import usual
from lake.alerts.anomaly import Day, strays
from lake.alerts.finding import Finding, State
from lake.alerts.reasons import WEEKS, AskSeries, reason, weeks_before
from lake.alerts.rules import Anomaly, Change, MetricRule, Threshold
from lake.errors import LakeError, nearest
from lake.metrics.definitions import Metric, Metrics
from lake.metrics.series import Segment, Series
from lake.metrics.wording import told

ALL: Segment = ()
"""The whole shop, as a segment."""
YEAR = timedelta(weeks=52)


def known(rule: MetricRule, metrics: Metrics) -> Metric:
    """The metric of a rule.

    Raises:
        LakeError: there is no such metric, it has no such dimension, or it is not one that a rule can judge.
    """
    metric = metrics.get(rule.metric)
    if rule.by and rule.by not in metric.dimensions:
        raise LakeError(f"metric {metric.name} has no dimension {rule.by!r}", nearest(rule.by, metric.dimensions))
    if metric.formula.kind == "whole" or metric.grain != "day":
        raise LakeError(
            f"metric {metric.name} cannot be judged day by day",
            "take one that is known by day, and is a sum or a quotient of two sums",
        )
    return metric


def judge(rule: MetricRule, metric: Metric, as_of: date, ask: AskSeries) -> list[Finding]:
    """Judge a metric, or each of its largest segments: a finding each.

    Args:
        as_of: the first day that is not over yet.

    Raises:
        ServiceError: the lake cannot be asked.
    """
    days = [as_of - timedelta(days=back) for back in range(rule.days, 0, -1)]
    needed = YEAR if rule.change and rule.change.against == "year" else timedelta(days=usual.DAYS)
    asked = ask(metric, (rule.by,) if rule.by else (), days[0] - needed, days[-1])
    segments = [ALL]
    if rule.by:
        segments = asked.largest(rule.largest, [days[0] - timedelta(days=back) for back in range(1, 7 * WEEKS + 1)])
    if asked.first_day is None:
        nothing = f"the lake has no {metric.name} from {days[0] - needed} to {days[-1]}"
        return [Finding(rule, "no_data", nothing)]
    findings = []
    for segment in segments:
        found = _Judged(rule, metric, asked, asked.first_day, segment, days).finding()
        if found.state == "firing":
            found = replace(found, why=reason(metric, days, rule.by, segment, ask))
        findings.append(found)
    return findings


@dataclass(frozen=True)
class _Judged:
    """A segment in some days.

    Attributes:
        first_day: the first one that the lake knows of the metric.
    """

    rule: MetricRule
    metric: Metric
    asked: Series
    first_day: date
    segment: Segment
    days: Sequence[date]

    def finding(self) -> Finding:
        """What the rule comes to."""
        value = self.asked.of([self.segment], self.days).value
        if value is None:
            return self._found("no_data", f"{self._said} is not known: there was nothing to divide by")
        if self.rule.threshold:
            return self._outcome(value, None, _beyond(self.rule.threshold, value, self.metric.unit))
        if self.rule.change:
            return self._changed(self.rule.change, value)
        assert self.rule.anomaly
        return self._strays(self.rule.anomaly, value)

    def _changed(self, change: Change, value: Decimal) -> Finding:
        earlier = self._earlier(change)
        if young := self._young(min(earlier)):
            return young
        # As much of a sum as that many days had; a quotient stays as it is.
        before = self.asked.of([self.segment], earlier).times(Decimal(len(self.days)) / len(earlier)).value
        if before is None:
            return self._found("no_data", f"{self._said} cannot be compared: before, there was nothing to divide by")
        if value and not before and change.max_ratio is not None:
            was = f"{self._said} was {told(value, self.metric.unit)}"
            return self._found("no_data", f"{was} and 0 before, so there is no ratio", value, before)
        return self._outcome(value, before, _changed_beyond(change, value, before, self.metric.unit))

    def _earlier(self, change: Change) -> list[date]:
        if change.against == "weekdays":
            return weeks_before(self.days)
        back = YEAR if change.against == "year" else timedelta(days=len(self.days))
        return [day - back for day in self.days]

    def _strays(self, anomaly: Anomaly, value: Decimal) -> Finding:
        (day,) = self.days
        if young := self._young(day - timedelta(days=usual.LEAST_DAYS)):
            return young
        back = min(usual.DAYS, (day - self.first_day).days)
        *earlier, today = (self._day(day - timedelta(days=each), anomaly) for each in range(back, -1, -1))
        found = strays(today, earlier)
        broken = ""
        if anomaly.below is not None and found.spreads < -anomaly.below:
            broken = f"at least {told(found.at(-anomaly.below), self.metric.unit)}"
        elif anomaly.above is not None and found.spreads > anomaly.above:
            broken = f"at most {told(found.at(anomaly.above), self.metric.unit)}"
        expected = found.at(0.0)
        if broken:
            beside = ", beside what the others were" if anomaly.beside else " of this weekday"
            broken = f"should be {broken}: {told(expected, self.metric.unit)} is usual{beside}"
        return self._outcome(value, expected, broken)

    def _day(self, day: date, anomaly: Anomaly) -> Day:
        others = [each for each in self.asked.amounts if each != self.segment]
        return Day(self.asked.of([self.segment], [day]), self.asked.of(others, [day]) if anomaly.beside else None)

    def _young(self, needed: date) -> Finding | None:
        if self.first_day <= needed:
            return None
        return self._found("learning", f"the lake knows nothing before {self.first_day}; {needed} is needed to compare")

    def _outcome(self, value: Decimal, reference: Decimal | None, broken: str) -> Finding:
        was = f"{self._said} was {told(value, self.metric.unit)}"
        if broken:
            return self._found("firing", f"{was} and {broken}", value, reference)
        beside = "" if reference is None else f", beside {told(reference, self.metric.unit)} {self._reference}"
        return self._found("holds", was + beside, value, reference)

    @property
    def _reference(self) -> str:
        return "that is usual" if self.rule.anomaly else "before"

    @property
    def _said(self) -> str:
        of = f" of {self.segment[0]}" if self.segment else ""
        first, *others = self.days
        when = f"from {first} to {others[-1]}" if others else f"on {first}"
        return f"{self.metric.label}{of} {when}"

    def _found(
        self, state: State, summary: str, value: Decimal | None = None, reference: Decimal | None = None
    ) -> Finding:
        return Finding(self.rule, state, summary, value, reference, self.segment[0] if self.segment else "")


def _beyond(bounds: Threshold, value: Decimal, unit: str) -> str:
    """What a value should be; empty if it is."""
    if bounds.min is not None and value < bounds.min:
        return f"should be at least {told(bounds.min, unit)}"
    if bounds.max is not None and value > bounds.max:
        return f"should be at most {told(bounds.max, unit)}"
    return ""


def _changed_beyond(bounds: Change, value: Decimal, before: Decimal, unit: str) -> str:
    """What a value should be beside an earlier one; empty if it is."""
    against = {"weekdays": "the weeks before", "before": "just before", "year": "a year before"}[bounds.against]
    for word, ratio, is_beyond in (
        ("least", bounds.min_ratio, bounds.min_ratio is not None and value < bounds.min_ratio * before),
        ("most", bounds.max_ratio, bounds.max_ratio is not None and value > bounds.max_ratio * before),
    ):
        if is_beyond and ratio is not None:
            return (
                f"should be at {word} {told(ratio * before, unit)}, {ratio} times the {told(before, unit)} of {against}"
            )
    return ""
