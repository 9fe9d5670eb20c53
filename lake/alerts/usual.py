"""What a day's figure usually is: a weekly rhythm, a level, and how far days stray from them.

Rhythm and level come from a robust STL decomposition (Cleveland et al., 1990, as statsmodels has it), so that a holiday
or an earlier incident among the days does not become what is usual. How far days stray is the median of how far they
did, scaled to a standard deviation (scipy's `median_abs_deviation`), which a few wild days do not widen either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

DAYS = 112
"""Days that are looked back on."""
LEAST_DAYS = 56
"""Fewer say too little of a weekly rhythm."""
WEEK = 7
LEVEL_DAYS = 28
"""Days whose median is the level that the next day is expected at, its weekday apart."""
STEADY = 101
"""Smoothing of the rhythm over weeks: more than there are, so that it hardly changes from one to the next."""


@dataclass(frozen=True)
class Usual:
    """What a day is expected to be.

    Attributes:
        expected: the figure.
        spread: how far days stray from it, as a standard deviation; above 0.
    """

    expected: float
    spread: float

    def strays(self, value: float) -> float:
        """How many spreads a figure is off: below what is expected if negative."""
        return (value - self.expected) / self.spread


def usual(days: Sequence[float], least_spread: float) -> Usual:
    """What follows a sequence of days.

    Args:
        days: the figures of `LEAST_DAYS` or more days in a row, the last one being the day before.
        least_spread: of figures that hardly differ; above 0.
    """
    # Imported here: they take a second to import, and most of those who load a rule judge nothing by it.
    import numpy as np
    from scipy.stats import median_abs_deviation
    from statsmodels.tsa.seasonal import STL

    values = np.asarray(days, dtype=float)
    rhythm = STL(values, period=WEEK, seasonal=STEADY, robust=True).fit().seasonal
    level = values - rhythm
    expected = float(np.median(level[-LEVEL_DAYS:]) + rhythm[-WEEK])
    return Usual(expected, max(float(median_abs_deviation(level[-LEAST_DAYS:], scale="normal")), least_spread))
