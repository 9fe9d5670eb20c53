"""The metrics of a report, asked of the lake: all that its figures need, in a statement or two for each mart.

Each statement costs Trino as much to plan as to carry out. So all metrics of a mart are asked for together: once as a
whole, over all periods that any figure shows, and once by all of their dimensions, for the few periods that are split.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from lake import mistakes
from lake.errors import LakeError, nearest
from lake.metrics import definitions, series
from lake.metrics.ask import Span
from lake.metrics.compiler import Compiler
from lake.metrics.definitions import GRAINS, Metric, Metrics
from lake.metrics.series import Amount, Segment, Series
from lake.mistakes import Mistake, Place
from lake.reports.definition import (
    DEFINITIONS,
    SHAPE,
    Against,
    BreakdownFigure,
    ChangesFigure,
    OfMetrics,
    Report,
    TrendFigure,
    file_of,
    metrics_of,
    named,
)
from lake.reports.periods import Grain, Period

AskMetrics = Callable[[Sequence[Metric], Segment, Grain, Sequence[Span]], Mapping[str, Series]]
"""Metrics, dimensions, the period and the days that count in; their series, by name, out."""

HISTORY: Mapping[Grain, int] = {"day": 64, "week": 27, "month": 13}
"""Periods that are looked at to say what changes are usual."""


def unknown(report: Report, metrics: Metrics, file: Path) -> list[Mistake]:
    """Names in a report that are no metric, or no dimension of theirs, at their lines."""
    return mistakes.at(file, _unknown(report, {metric.name: metric for metric in metrics}))


def _unknown(report: Report, known: Mapping[str, Metric]) -> Iterable[tuple[Place, str]]:
    for number, figure in enumerate(report.figures):
        if not isinstance(figure, OfMetrics):
            continue
        for within, name in metrics_of(figure):
            place = ("figures", number, *within)
            if name not in known:
                yield place, f"figure {figure.name}: there is no metric {name!r}; {nearest(name, known)}"
            elif GRAINS.index(report.period or "day") < GRAINS.index(known[name].grain):
                said = f"metric {name} is known by {known[name].grain}, not by {report.period}"
                yield place, f"figure {figure.name}: {said}"
        if isinstance(figure, BreakdownFigure) and figure.metric in known:
            has = known[figure.metric].dimensions
            if figure.by not in has:
                said = f"metric {figure.metric} has no dimension {figure.by!r}; {nearest(figure.by, has)}"
                yield ("figures", number, "by"), f"figure {figure.name}: {said}"


def check(report: Report, metrics: Metrics, folder: Path = DEFINITIONS) -> None:
    """Refuse a report that names what there is not.

    Raises:
        LakeError: file, line and the nearest name are told.
    """
    if wrong := unknown(report, metrics, file_of(report.name, folder)):
        raise LakeError("\n".join(map(str, wrong)), "`lake metric` lists all metrics and their dimensions")


def asking(metrics: Metrics, catalog: str) -> AskMetrics:
    """Asks a state of the lake, and for what was asked before not again."""
    compiler = Compiler(metrics.manifest)

    @functools.cache
    def asked(wanted: tuple[Metric, ...], by: Segment, grain: Grain, spans: tuple[Span, ...]) -> dict[str, Series]:
        return series.together(metrics, compiler, wanted, by, grain, spans, catalog)

    return lambda wanted, by, grain, spans: asked(tuple(wanted), by, grain, tuple(spans))


def layer() -> Metrics:
    """The metrics of this checkout."""
    return definitions.load()


def reference(period: Period, against: Against) -> Period:
    """What a period is held against."""
    if against == "year":
        return period.year_before
    return period.back(7 if against == "week" else 1)


class Measured:
    """What a report's metrics were, period by period.

    Args:
        report: whose metrics there are (`check`).
        as_of: the first day that is not over yet.

    Raises:
        LakeError: the report shows no metrics.
        ServiceError: Trino does not answer.
    """

    def __init__(self, report: Report, metrics: Metrics, as_of: date, ask: AskMetrics) -> None:
        period = report.period_over(as_of)
        if period is None:
            raise LakeError(f"report {report.name} has no period", SHAPE)
        self.period = period
        self.names = named(report)
        self.metrics = {name: metrics.get(name) for name in self.names}
        self._ask = ask
        changes = [figure for figure in report.figures if isinstance(figure, ChangesFigure)]
        depth = max([2, *(figure.periods for figure in report.figures if isinstance(figure, TrendFigure))])
        if changes:
            depth = max(depth, HISTORY[period.grain])
        first = period.back(depth - 1)
        spans = [(first.first, period.last), (first.year_before.first, period.year_before.last)]
        split = [figure.metric for figure in report.figures if isinstance(figure, BreakdownFigure)]
        split += [name for figure in changes for name in figure.metrics or self.names]
        self._split = list(dict.fromkeys(split))
        apart = {period, period.back(1), period.year_before, *(reference(period, each.against) for each in changes)}
        self._spans = [(each.first, each.last) for each in sorted(apart)]
        self._whole = ask(list(self.metrics.values()), (), period.grain, spans)

    def amount(self, name: str, period: Period) -> Amount | None:
        """A metric in a period; None where the lake has nothing of it."""
        return self._whole[name].amounts.get((), {}).get(period.first)

    def value(self, name: str, period: Period) -> Decimal | None:
        """The same as a value; None also where there is nothing to divide by."""
        found = self.amount(name, period)
        return None if found is None else found.value

    def parts(self, name: str) -> Series | None:
        """A metric by all of its dimensions at once; None where parts do not make up the whole."""
        return self._parts.get(name)

    def by(self, name: str, dimension: str) -> Series:
        """A metric by one of its dimensions, in the periods that are split."""
        metric, asked = self.metrics[name], self.parts(name)
        if asked is None:
            return self._ask([metric], (dimension,), self.period.grain, self._spans)[name]
        return margin(asked, metric.dimensions.index(dimension))

    @functools.cached_property
    def _parts(self) -> Mapping[str, Series]:
        of_marts: dict[Segment, list[Metric]] = {}
        for metric in (self.metrics[name] for name in self._split):
            if metric.dimensions and metric.formula.kind != "whole":
                of_marts.setdefault(metric.dimensions, []).append(metric)
        found: dict[str, Series] = {}
        for dimensions, wanted in of_marts.items():
            found |= self._ask(wanted, dimensions, self.period.grain, self._spans)
        return found


def margin(asked: Series, place: int) -> Series:
    """A series by several dimensions, taken together but for the one at a place."""
    amounts: dict[Segment, dict[date, Amount]] = {}
    for segment, of in asked.amounts.items():
        into = amounts.setdefault((segment[place],), {})
        for day, amount in of.items():
            into[day] = into[day] + amount if day in into else amount
    return Series(asked.is_quotient, amounts, asked.first_day)
