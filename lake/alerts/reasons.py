"""Why a metric is not what it was, beside the weeks before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal

from lake.metrics import why
from lake.metrics.definitions import Metric
from lake.metrics.reasons import explained, words
from lake.metrics.series import Segment, Series

WEEKS = 4
"""That a day is compared with, or explained by."""

AskSeries = Callable[[Metric, Segment, date, date], Series]
"""A metric, dimensions, the first and the last day in, its series out."""


def weeks_before(days: Sequence[date]) -> list[date]:
    """The same weekdays of four spans before, each of whole weeks, so that no day is among them."""
    weeks = -(-len(days) // 7)
    return [day - timedelta(weeks=weeks * back) for back in range(1, WEEKS + 1) for day in days]


def reason(metric: Metric, days: Sequence[date], by: str, segment: Segment, ask: AskSeries) -> str:
    """Where the change of a metric comes from, against the same days of the weeks before; empty where it is not told.

    Args:
        by: the dimension of which ``segment`` is, if it is of a segment alone.
    """
    earlier = weeks_before(days)
    to_days = Decimal(len(days)) / len(earlier)
    inner = (by,) if by else ()

    def cells_of(dimension: str) -> why.Cells:
        asked = ask(metric, (*inner, dimension), min(earlier), days[-1])
        return {
            each[-1]: (asked.of([each], days), asked.of([each], earlier).times(to_days))
            for each in asked.amounts
            if each[:-1] == segment
        }

    found = explained(metric, cells_of, but=by)
    return words(found, metric) if found else ""
