"""Judging a metric by a rule: what it was of a day or some days, what it should be, and why it is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from lake.alerts import usual
from lake.alerts.anomaly import Day, Expected
from lake.alerts.finding import Course, Finding, Point, State
from lake.alerts.reasons import WEEKS, AskSeries, reason, weeks_before
from lake.alerts.rules import Anomaly, Change, Counted, MetricRule, Threshold
from lake.errors import LakeError, nearest
from lake.metrics.definitions import Metric, Metrics
from lake.metrics.series import Segment, Series
from lake.metrics.wording import told

ALL: Segment = ()
"""The whole shop, as a segment."""
YEAR = timedelta(weeks=52)
SHOWN = 56
"""Days that are shown of what fired."""

AskCounts = Callable[[Counted, date, date], Series]
"""What is counted, the first and the last day in, its series by segment out."""
Limits = tuple[Decimal | None, Decimal | None]


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
    if rule.anomaly and rule.anomaly.beside and metric.formula.kind == "quotient" and not rule.counted:
        raise LakeError(
            f"metric {metric.name} is a quotient, which is not judged beside others", "leave out `beside: others`"
        )
    return metric


def judge(rule: MetricRule, metric: Metric, as_of: date, ask: AskSeries, count: AskCounts) -> list[Finding]:
    """Judge a metric, or each of its largest segments: a finding each.

    Args:
        as_of: the first day that is not over yet.

    Raises:
        ServiceError: the lake cannot be asked.
    """
    days = [as_of - timedelta(days=back) for back in range(rule.days, 0, -1)]
    needed = YEAR if rule.change and rule.change.against == "year" else timedelta(days=usual.DAYS)
    first = days[0] - needed
    asked = ask(metric, (rule.by,) if rule.by else (), first, days[-1])
    lately = [days[0] - timedelta(days=back) for back in range(1, 7 * WEEKS + 1)]
    segments = asked.largest(rule.largest, lately) if rule.by else [ALL]
    beside = asked.largest(usual.MOST_BESIDE, lately)
    if rule.counted:
        asked = count(rule.counted, first, days[-1])
    if asked.first_day is None:
        what = rule.counted.what.lower() if rule.counted else metric.name
        return [Finding(rule, "no_data", f"the lake has no {what} from {first} to {days[-1]}")]
    findings = []
    for segment in segments:
        found = _Judged(rule, metric, asked, asked.first_day, segment, days, beside).finding()
        if found.state == "firing":
            found = replace(found, why=reason(metric, days, rule.by, segment, ask))
        findings.append(found)
    return findings


@dataclass(frozen=True)
class _Judged:
    """A segment in some days.

    Attributes:
        asked: the metric, or what is counted in its place.
        first_day: the first one of which the lake has any of it.
        beside: the largest segments.
    """

    rule: MetricRule
    metric: Metric
    asked: Series
    first_day: date
    segment: Segment
    days: Sequence[date]
    beside: Sequence[Segment]

    def finding(self) -> Finding:
        """What the rule comes to."""
        value = self.asked.of([self.segment], self.days).value
        if value is None:
            return self._found("no_data", f"{self._said} is not known: there was nothing to divide by")
        if bounds := self.rule.threshold:
            found = self._outcome(value, None, _beyond(bounds, value, self._unit))
            return self._shown(found, lambda days: (bounds.min, bounds.max))
        if self.rule.change:
            return self._changed(self.rule.change, value)
        assert self.rule.anomaly
        return self._strays(self.rule.anomaly, value)

    def _changed(self, change: Change, value: Decimal) -> Finding:
        if young := self._young(min(_earlier(change, self.days))):
            return young
        before = self._before(change, self.days)
        if before is None:
            return self._found("no_data", f"{self._said} cannot be compared: before, there was nothing to divide by")
        if value and not before and change.max_ratio is not None:
            was = f"{self._said} was {told(value, self._unit)}"
            return self._found("no_data", f"{was} and 0 before, so there is no ratio", value, before)

        def limits(days: Sequence[date]) -> Limits:
            was = self._before(change, days) if min(_earlier(change, days)) >= self.first_day else None
            if was is None:
                return None, None
            return _times(change.min_ratio, was), _times(change.max_ratio, was)

        return self._shown(self._outcome(value, before, _changed_beyond(change, value, before, self._unit)), limits)

    def _before(self, change: Change, days: Sequence[date]) -> Decimal | None:
        """As much of a sum as that many days had before; a quotient stays as it is."""
        earlier = _earlier(change, days)
        return self.asked.of([self.segment], earlier).times(Decimal(len(days)) / len(earlier)).value

    def _strays(self, anomaly: Anomaly, value: Decimal) -> Finding:
        first = self.days[0]
        if young := self._young(first - timedelta(days=usual.LEAST_DAYS)):
            return young
        back = min(usual.DAYS, (first - self.first_day).days)
        before = [first - timedelta(days=each) for each in range(back, 0, -1)]
        earlier, now = ([self._day(day, anomaly) for day in days] for days in (before, self.days))
        expected = Expected(earlier, [day.others for day in now])
        spreads = expected.strays([day.own for day in now])
        usually = expected.at(0.0)
        broken = ""
        if anomaly.below is not None and spreads < -anomaly.below:
            broken = f"at least {told(expected.at(-anomaly.below), self._unit)}"
        elif anomaly.above is not None and spreads > anomaly.above:
            broken = f"at most {told(expected.at(anomaly.above), self._unit)}"
        if broken:
            weekday = " of this weekday" if len(self.days) == 1 else " of these weekdays"
            beside = ", beside what the others were" if anomaly.beside else weekday
            broken = f"should be {broken}: {told(usually, self._unit)} is usual{beside}"
        found = self._outcome(value, usually, broken)
        if found.state != "firing":
            return found
        all_days = [*before, *self.days]
        nothing: list[Decimal | None] = [None] * len(all_days)
        low = nothing if anomaly.below is None else expected.course(-anomaly.below)
        high = nothing if anomaly.above is None else expected.course(anomaly.above)
        points = [
            Point(day, self.asked.of([self.segment], [day]).value, *limits)
            for day, *limits in zip(all_days, low, high, strict=True)
        ]
        course = Course(self._what, self._unit, tuple(points[-SHOWN:]), len(self.days), is_band=True)
        return replace(found, course=course)

    def _day(self, day: date, anomaly: Anomaly) -> Day:
        own = self.asked.of([self.segment], [day])
        if not anomaly.beside:
            return Day(own)
        others = [each for each in self.beside if each != self.segment][: usual.MOST_BESIDE - 1]
        rest = [each for each in self.asked.amounts if each not in (self.segment, *others)]
        return Day(own, (*(self.asked.of([each], [day]) for each in others), self.asked.of(rest, [day])))

    def _shown(self, found: Finding, limits: Callable[[Sequence[date]], Limits]) -> Finding:
        """With the course of what fires: of each day, what it and those before it came to that are judged together."""
        if found.state != "firing":
            return found
        points = []
        for back in range(SHOWN - 1, -1, -1):
            days = [day - timedelta(days=back) for day in self.days]
            if days[0] >= self.first_day:
                points.append(Point(days[-1], self.asked.of([self.segment], days).value, *limits(days)))
        together = f", {len(self.days)} days together" if len(self.days) > 1 else ""
        return replace(found, course=Course(self._what + together, self._unit, tuple(points), 1, is_band=False))

    def _young(self, needed: date) -> Finding | None:
        if self.first_day <= needed:
            return None
        return self._found("learning", f"the lake knows nothing before {self.first_day}; {needed} is needed to compare")

    def _outcome(self, value: Decimal, reference: Decimal | None, broken: str) -> Finding:
        was = f"{self._said} was {told(value, self._unit)}"
        if broken:
            return self._found("firing", f"{was} and {broken}", value, reference)
        beside = "" if reference is None else f", beside {told(reference, self._unit)} {self._reference}"
        return self._found("holds", was + beside, value, reference)

    @property
    def _reference(self) -> str:
        return "that is usual" if self.rule.anomaly else "before"

    @property
    def _said(self) -> str:
        first, *others = self.days
        when = f"from {first} to {others[-1]}" if others else f"on {first}"
        return f"{self._what} {when}"

    @property
    def _what(self) -> str:
        of = f" of {self.segment[0]}" if self.segment else ""
        return f"{self.rule.counted.what if self.rule.counted else self.metric.label}{of}"

    @property
    def _unit(self) -> str:
        return "count" if self.rule.counted else self.metric.unit

    def _found(
        self, state: State, summary: str, value: Decimal | None = None, reference: Decimal | None = None
    ) -> Finding:
        return Finding(self.rule, state, summary, value, reference, self.segment[0] if self.segment else "")


def _earlier(change: Change, days: Sequence[date]) -> list[date]:
    """The days that some days are compared with."""
    if change.against == "weekdays":
        return weeks_before(days)
    back = YEAR if change.against == "year" else timedelta(days=len(days))
    return [day - back for day in days]


def _times(ratio: Decimal | None, was: Decimal) -> Decimal | None:
    return None if ratio is None else ratio * was


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
