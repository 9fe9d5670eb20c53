"""Which metrics changed most, as against what is usual of them, and which segments the change comes from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from statistics import median

from lake.metrics import why
from lake.metrics.definitions import Metric
from lake.metrics.reasons import explained
from lake.metrics.series import Series
from lake.reports.definition import Against, ChangesFigure
from lake.reports.measured import HISTORY, Measured, margin, reference
from lake.reports.periods import Period

LEAST = 4
"""Fewer earlier changes say too little of what is usual."""


@dataclass(frozen=True)
class Changed:
    """A metric that is not what it was.

    Attributes:
        times: how many times its usual change this one is; None where too little is known of earlier ones, or nothing
            ever changed.
        explanation: what it comes from; None where the metric has no parts, or parts that do not make up the whole.
    """

    metric: Metric
    now: Decimal
    before: Decimal
    times: Decimal | None
    explanation: why.Explanation | None = None

    @property
    def change(self) -> Decimal:
        """In the metric's unit."""
        return self.now - self.before

    @property
    def relative(self) -> Decimal | None:
        """As a part of what it was; None from nothing."""
        return self.change / abs(self.before) if self.before else None


def most(figure: ChangesFigure, measured: Measured) -> tuple[list[Changed], list[Metric]]:
    """The metrics of a figure that changed most, in that order, with the reasons; and those that cannot be compared.

    A metric counts by how many times its usual change it changed. Of those of which no usual change is known, that come
    after the others, the one that changed by the largest part of what it was comes first.
    """
    names = figure.metrics or measured.names
    changed, unknown = [], []
    for name in dict.fromkeys(names):
        found = _changed(name, figure.against, measured)
        if found is None:
            unknown.append(measured.metrics[name])
        elif found.change:
            changed.append(found)
    chosen = sorted(changed, key=_order)[: figure.most]
    return [_with_reasons(one, figure.against, measured) for one in chosen], unknown


def _order(one: Changed) -> tuple[bool, Decimal, str]:
    relative = Decimal("Infinity") if one.relative is None else abs(one.relative)
    return one.times is None, -(relative if one.times is None else one.times), one.metric.name


def _changed(name: str, against: Against, measured: Measured) -> Changed | None:
    now = measured.value(name, measured.period)
    before = measured.value(name, reference(measured.period, against))
    if now is None or before is None:
        return None
    usual = _usual(name, against, measured)
    return Changed(measured.metrics[name], now, before, abs(now - before) / usual if usual else None)


def _usual(name: str, against: Against, measured: Measured) -> Decimal | None:
    """The median of earlier changes, whichever way they went; of a day held against the day before, of its weekday."""
    step = 7 if measured.period.grain == "day" and against == "before" else 1
    changes = []
    for back in range(step, HISTORY[measured.period.grain], step):
        period = measured.period.back(back)
        then, earlier = measured.value(name, period), measured.value(name, reference(period, against))
        if then is not None and earlier is not None:
            changes.append(abs(then - earlier))
    return median(changes) if len(changes) >= LEAST else None


def _with_reasons(one: Changed, against: Against, measured: Measured) -> Changed:
    asked = measured.parts(one.metric.name)
    if asked is None:
        return one
    now, before = measured.period, reference(measured.period, against)
    return replace(one, explanation=reasons(one.metric, asked, now, before))


def reasons(metric: Metric, asked: Series, now: Period, before: Period) -> why.Explanation | None:
    """What the change of a metric comes from.

    Args:
        asked: by all of its dimensions.
    """

    def cells_of(dimension: str) -> why.Cells:
        parts = margin(asked, metric.dimensions.index(dimension))
        if len(parts.amounts) < 2:
            return {}  # where there is one segment alone, it explains nothing
        return {
            name: (of.get(now.first, asked.nothing), of.get(before.first, asked.nothing))
            for (name,), of in parts.amounts.items()
        }

    return explained(metric, cells_of)
