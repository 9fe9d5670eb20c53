"""Whether a day of a metric strays from what is usual: on which scale days are compared, and by how much."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import exp, log
from statistics import median

from lake.alerts.usual import usual
from lake.metrics.series import Amount

LEAST_RELATIVE_SPREAD = 0.02
"""Figures that hardly differ from day to day still may by so much."""
NOTHING = 0.01
"""What stands for nothing, as a part of the median day: nothing has no logarithm."""


@dataclass(frozen=True)
class Day:
    """A day of a segment.

    Attributes:
        rest: what all other segments came to, where the segment is judged beside them.
    """

    own: Amount
    rest: Amount | None = None


@dataclass(frozen=True)
class Strays:
    """How a day strays from what is usual.

    Attributes:
        spreads: by how many standard deviations; below what is expected if negative.
        at: the metric at so many spreads from what was expected of the day, which itself is at 0.
    """

    spreads: float
    at: Callable[[float], Decimal]


def strays(day: Day, earlier: Sequence[Day]) -> Strays:
    """Judge a day by those before it, of which there are at least `usual.LEAST_DAYS`, the last one being yesterday."""
    scale = _Quotients(earlier) if day.own.below is not None else _Sums(earlier)
    found = usual([scale.of(each) for each in earlier], scale.least_spread)
    return Strays(found.strays(scale.of(day)), lambda spreads: scale.back(found.expected + spreads * found.spread, day))


class _Sums:
    """Sums are compared by their logarithms, so that a half is as far off as a double."""

    least_spread = LEAST_RELATIVE_SPREAD

    def __init__(self, earlier: Sequence[Day]) -> None:
        self._nothing = NOTHING * median(float(day.own.above) for day in earlier) or 1e-6
        self._no_rest = NOTHING * median(float(day.rest.above) if day.rest else 0.0 for day in earlier) or 1e-6

    def of(self, day: Day) -> float:
        return log(max(float(day.own.above), self._nothing)) - self._rest(day)

    def back(self, scaled: float, day: Day) -> Decimal:
        return Decimal(str(exp(scaled + self._rest(day))))

    def _rest(self, day: Day) -> float:
        return log(max(float(day.rest.above), self._no_rest)) if day.rest else 0.0


class _Quotients:
    """Quotients are compared as they are. By chance alone a share strays by its binomial standard error."""

    def __init__(self, earlier: Sequence[Day]) -> None:
        above = float(sum(day.own.above for day in earlier))
        below = float(sum(day.own.below or 0 for day in earlier))
        self._mean = above / below if below else 0.0
        chance = max(self._mean * (1 - self._mean), 0.0) / max(below / len(earlier), 1.0)
        self.least_spread = max(chance**0.5, abs(self._mean) * LEAST_RELATIVE_SPREAD, 1e-9)

    def of(self, day: Day) -> float:
        return self._mean if day.own.value is None else float(day.own.value)

    def back(self, scaled: float, day: Day) -> Decimal:
        return Decimal(str(max(scaled, 0.0)))
