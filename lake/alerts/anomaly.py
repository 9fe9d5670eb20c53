"""Whether days of a metric stray from what is usual: on which scale they are compared, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import exp, log
from statistics import median
from typing import Protocol

from lake.alerts.usual import Usual, usual
from lake.metrics.series import Amount

LEAST_RELATIVE_SPREAD = 0.02
"""Figures that hardly differ from day to day still may by so much."""
NOTHING = 0.01
"""What stands for nothing, as a part of the median day: nothing has no logarithm."""


@dataclass(frozen=True)
class Day:
    """A day of a segment.

    Attributes:
        others: what others came to, where the segment is judged beside them: the same ones each day.
    """

    own: Amount
    others: tuple[Amount, ...] = ()


class Expected:
    """What some days in a row are expected to be, by those before them."""

    def __init__(self, earlier: Sequence[Day], others: Sequence[tuple[Amount, ...]]) -> None:
        """Learn from earlier days.

        Args:
            earlier: at least `usual.LEAST_DAYS` of them, the last one being that before the days judged.
            others: of each day that is judged, what others came to; nothing of the day itself is asked for.
        """
        own = [day.own for day in earlier]
        self._scale: _Scale = _Quotients(own) if own[0].below is not None else _Sums(own)
        # Where nothing is sold at all, that is of the shop, and nothing is told by it of a segment beside the others.
        self._is_told = [not day or any(each.above for each in day) for day in others]
        beside = []
        for place in range(len(others[0])):
            came = [day.others[place] for day in earlier]
            scale = _Sums(came)
            beside.append([scale.of(each) for each in (*came, *(day[place] for day in others))])
        self._usual: Usual = usual(
            [self._scale.of(each) for each in own], self._scale.least_spread, beside, len(others)
        )

    def strays(self, came: Sequence[Amount]) -> float:
        """By how many standard deviations the days stray, taken together; below what is expected if negative.

        Args:
            came: what each of the days judged came to.
        """
        days = zip(came, self._is_told, self._usual.expected, strict=True)
        return self._usual.strays([self._scale.of(own) if is_told else expected for own, is_told, expected in days])

    def at(self, spreads: float) -> Decimal:
        """The days together, at so many spreads from what was expected of them, which itself is at 0."""
        each = [self._back(expected, spreads) for expected in self._usual.expected]
        return self._scale.together(each)

    def course(self, spreads: float) -> list[Decimal]:
        """Each day, those before and those judged, at so many spreads from what was expected of it."""
        return [self._back(expected, spreads) for expected in (*self._usual.before, *self._usual.expected)]

    def _back(self, expected: float, spreads: float) -> Decimal:
        return self._scale.back(expected + spreads * self._usual.spread)


class _Scale(Protocol):
    """On which days are compared."""

    least_spread: float

    def of(self, amount: Amount) -> float: ...

    def back(self, scaled: float) -> Decimal: ...

    def together(self, days: Sequence[Decimal]) -> Decimal: ...


class _Sums:
    """Sums are compared by their logarithms, so that a half is as far off as a double."""

    def __init__(self, earlier: Sequence[Amount]) -> None:
        self.least_spread = LEAST_RELATIVE_SPREAD
        self._nothing = NOTHING * median(float(day.above) for day in earlier) or 1e-6

    def of(self, amount: Amount) -> float:
        return log(max(float(amount.above), self._nothing))

    def back(self, scaled: float) -> Decimal:
        return Decimal(str(exp(scaled)))

    def together(self, days: Sequence[Decimal]) -> Decimal:
        return sum(days, Decimal(0))


class _Quotients:
    """Quotients are compared as they are. By chance alone a share strays by its binomial standard error."""

    def __init__(self, earlier: Sequence[Amount]) -> None:
        above = float(sum(day.above for day in earlier))
        below = float(sum(day.below or 0 for day in earlier))
        self._mean = above / below if below else 0.0
        chance = max(self._mean * (1 - self._mean), 0.0) / max(below / len(earlier), 1.0)
        self.least_spread = max(chance**0.5, abs(self._mean) * LEAST_RELATIVE_SPREAD, 1e-9)

    def of(self, amount: Amount) -> float:
        return self._mean if amount.value is None else float(amount.value)

    def back(self, scaled: float) -> Decimal:
        return Decimal(str(max(scaled, 0.0)))

    def together(self, days: Sequence[Decimal]) -> Decimal:
        return sum(days, Decimal(0)) / len(days)
