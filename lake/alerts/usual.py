"""What a day's figure usually is: its weekday, a level, what others were that day, and how far days stray from that.

A robust regression (Huber's, as statsmodels has it) on the weekday and on the others' figures, so that a holiday or an
earlier incident among the days does not become what is usual; its level follows the last weeks. How far days stray is
the median of how far they did, scaled to a standard deviation (scipy's `median_abs_deviation`), and what the regression
itself does not know: on a day that is like none before, more is allowed.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean

DAYS = 112
"""Days that are looked back on."""
LEAST_DAYS = 56
"""Fewer say too little of a weekly rhythm."""
WEEK = 7
LEVEL_DAYS = 28
"""Days whose median is the level that the next days are expected at."""
MOST_BESIDE = 5
"""Figures of others that are looked at: more of them would fit a few weeks by chance."""
MOST_OF_A_DAY = 2.5
"""Spreads of one day that count where several are taken together: one wild day is no fall that lasts."""
OF_A_MEDIAN = 1.57
"""How much less a median of some figures knows of their level than a mean would, in variance."""


@dataclass(frozen=True)
class Usual:
    """What some days in a row are expected to be.

    Attributes:
        expected: the figure of each of them.
        spread: how far the mean of the days strays from that, as a standard deviation; above 0.
        of_a_day: the same of a single day.
        before: what each of the days before is expected to be by the same reckoning.
    """

    expected: tuple[float, ...]
    spread: float
    of_a_day: float
    before: tuple[float, ...]

    def strays(self, values: Sequence[float]) -> float:
        """How many spreads the days are off, taken together: below what is expected if negative."""
        strayed = [value - expected for value, expected in zip(values, self.expected, strict=True)]
        if len(strayed) > 1:
            most = MOST_OF_A_DAY * self.of_a_day
            strayed = [min(max(each, -most), most) for each in strayed]
        return fmean(strayed) / self.spread


def usual(
    days: Sequence[float], least_spread: float, beside: Sequence[Sequence[float]] = (), following: int = 1
) -> Usual:
    """What follows a sequence of days.

    Args:
        days: the figures of `LEAST_DAYS` or more days in a row.
        least_spread: of a day's figures that hardly differ; above 0.
        beside: figures of others, each of the days and of those that follow; `MOST_BESIDE` of them at most.
        following: how many days, right after.
    """
    # Imported here: they take a second to import, and most of those who load a rule judge nothing by it.
    import numpy as np
    from scipy.stats import median_abs_deviation
    from statsmodels.robust.norms import HuberT
    from statsmodels.robust.robust_linear_model import RLM
    from statsmodels.tools.sm_exceptions import ConvergenceWarning, SingularMatrixWarning

    values = np.asarray(days, dtype=float)
    known = len(values)
    weekday = np.eye(WEEK)[np.arange(known + following) % WEEK]
    others = np.asarray(beside, dtype=float).reshape(len(beside), known + following).T
    said = np.hstack([weekday, others - np.median(others[:known], axis=0)])
    with warnings.catch_warnings():
        # Figures that follow the weekday to the digit leave nothing to weigh; others that do, or of which there is
        # nothing, say nothing more than the weekday.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", SingularMatrixWarning)
        warnings.filterwarnings("ignore", message="Estimated scale is 0")
        coefficients = RLM(values, said[:known], M=HuberT()).fit().params
    strayed = values - said[:known] @ coefficients
    level = float(np.median(strayed[-LEVEL_DAYS:]))
    expected = said @ coefficients + level

    freedom = known / (known - said.shape[1])
    spread = max(float(median_abs_deviation(strayed, scale="normal")) * sqrt(freedom), least_spread)
    new = said[known:].mean(axis=0)
    unlike = float(new @ np.linalg.pinv(said[:known].T @ said[:known]) @ new)
    return Usual(
        tuple(expected[known:].tolist()),
        spread * sqrt(1 / following + unlike + OF_A_MEDIAN / min(LEVEL_DAYS, known)),
        spread,
        tuple(expected[:known].tolist()),
    )
