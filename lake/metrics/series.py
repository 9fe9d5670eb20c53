"""A metric day by day: what it was of each segment, so that days and segments can be taken together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from lake.errors import LakeError
from lake.metrics.ask import Question, Span, ask
from lake.metrics.compiler import Compiler
from lake.metrics.definitions import Metric, Metrics
from lake.platform.catalog import CATALOG

Segment = tuple[str, ...]
"""What a part of the shop is called: a value of each dimension that was asked for."""

NAMELESS = "(none)"
"""Stands for a dimension that is NULL."""


@dataclass(frozen=True)
class Amount:
    """A metric of some days and segments, as what can be added up.

    Attributes:
        above: the sum; of a quotient, what stands above the line.
        below: of a quotient, what stands below the line; None of a sum.
    """

    above: Decimal
    below: Decimal | None = None

    @property
    def value(self) -> Decimal | None:
        """What the metric is; None where a quotient has nothing to divide by."""
        if self.below is None:
            return self.above
        return self.above / self.below if self.below else None

    def __add__(self, other: Amount) -> Amount:
        below = None if self.below is None or other.below is None else self.below + other.below
        return Amount(self.above + other.above, below)

    def times(self, factor: Decimal) -> Amount:
        """So many times as much; what a quotient is stays as it is."""
        return Amount(self.above * factor, None if self.below is None else self.below * factor)


@dataclass(frozen=True)
class Series:
    """A metric by segment and day. What there is no row of is nothing at all.

    Attributes:
        is_quotient: whether amounts have a part below the line.
        first_day: the first one of which the lake has anything; None where it has nothing.
    """

    is_quotient: bool
    amounts: Mapping[Segment, Mapping[date, Amount]] = field(default_factory=dict)
    first_day: date | None = None

    @property
    def nothing(self) -> Amount:
        """What a day without a row amounts to."""
        return Amount(Decimal(0), Decimal(0) if self.is_quotient else None)

    def of(self, segments: Iterable[Segment], days: Iterable[date]) -> Amount:
        """Some segments in some days, taken together."""
        wanted = list(days)
        known = [self.amounts[each] for each in segments if each in self.amounts]
        return sum((of[day] for of in known for day in wanted if day in of), self.nothing)

    def largest(self, count: int, days: Iterable[date]) -> list[Segment]:
        """The segments that amount to most in some days, the largest first."""
        wanted = list(days)

        def size(segment: Segment) -> tuple[Decimal, Segment]:
            of = self.of([segment], wanted)
            return -(of.above if of.below is None else of.below), segment

        return sorted(self.amounts, key=size)[:count]


def series(
    metrics: Metrics,
    compiler: Compiler,
    metric: Metric,
    by: Segment,
    first: date,
    last: date,
    catalog: str = CATALOG,
) -> Series:
    """A metric by day, of each combination of some dimensions.

    Args:
        by: names of the dimensions.
        first, last: UTC days, both of which count.

    Raises:
        LakeError: the metric cannot be added up, has no such dimension, or is not known by day.
        ServiceError: Trino does not answer.
    """
    if metric.formula.kind == "whole":
        raise LakeError(
            f"metric {metric.name} of parts does not make up that of the whole: {metric.expression}",
            "take a metric that is a sum, or a quotient of two sums",
        )
    return together(metrics, compiler, [metric], by, "day", [(first, last)], catalog)[metric.name]


def together(
    metrics: Metrics,
    compiler: Compiler,
    wanted: Sequence[Metric],
    by: Segment,
    grain: str,
    spans: Sequence[Span],
    catalog: str = CATALOG,
) -> dict[str, Series]:
    """Several metrics by period, each of each combination of some dimensions; a statement for all of the same marts.

    Args:
        by: names of dimensions that all of them have.
        grain: the period, one of `definitions.GRAINS`; what a series calls a day is the first one of a period.
        spans: the days that count.

    Returns:
        By the metric's name. Of one that cannot be added up, parts and periods must not be taken together.

    Raises:
        LakeError: a metric has no such dimension, or is not known for so short a period.
        ServiceError: Trino does not answer.
    """
    of_marts: dict[tuple[str, ...], list[Metric]] = defaultdict(list)
    for metric in wanted:
        of_marts[metric.tables].append(metric)
    found: dict[str, Series] = {}
    for group in of_marts.values():
        parts = list(dict.fromkeys(part for metric in group for part in _parts(metric)))
        asked, *beside = map(metrics.get, parts)
        question = Question(asked, by, grain, spans=tuple(spans), beside=tuple(beside))
        answer = ask(compiler, question, catalog)
        found |= {metric.name: _series(metric, parts, answer.rows, len(by)) for metric in group}
    return found


def _parts(metric: Metric) -> tuple[str, ...]:
    """What is asked for: of a quotient, what stands above and below the line."""
    formula = metric.formula
    return (formula.above, formula.below) if formula.kind == "quotient" else (metric.name,)


def _series(metric: Metric, parts: Sequence[str], rows: Iterable[Sequence[Any]], dimensions: int) -> Series:
    places = [1 + dimensions + parts.index(part) for part in _parts(metric)]
    amounts: dict[Segment, dict[date, Amount]] = defaultdict(dict)
    for row in rows:
        values = [None if row[place] is None else Decimal(str(row[place])) for place in places]
        if any(value is not None for value in values):
            segment = tuple(NAMELESS if each is None else str(each) for each in row[1 : 1 + dimensions])
            amounts[segment][row[0]] = Amount(*(value or Decimal(0) for value in values))
    days = [day for of in amounts.values() for day in of]
    return Series(len(places) == 2, {segment: amounts[segment] for segment in sorted(amounts)}, min(days, default=None))
