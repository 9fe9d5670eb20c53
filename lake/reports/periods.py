"""The periods that a report is about: the last one that is over, the one before it, and the same one of last year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Grain = Literal["day", "week", "month"]

YEAR = timedelta(weeks=52)
"""A year back by whole weeks, so that a day meets its own weekday and a week its own."""

BEFORE = {"day": "the day before", "week": "the week before", "month": "the month before"}
LAST_YEAR = {
    "day": "the same weekday a year before, 364 days earlier",
    "week": "the week a year before, 52 weeks earlier",
    "month": "the same month of the year before",
}


@dataclass(frozen=True, order=True)
class Period:
    """A day, an ISO week or a month.

    Attributes:
        first: its first day (UTC).
    """

    first: date
    grain: Grain

    @classmethod
    def over(cls, grain: Grain, as_of: date) -> Period:
        """The last period that is over.

        Args:
            as_of: the first day that is not over yet.

        >>> [Period.over(grain, date(2026, 11, 23)).name for grain in ("day", "week", "month")]
        ['2026-11-22', '2026-W47', '2026-10']
        """
        last = as_of - timedelta(days=1)
        if grain == "day":
            return cls(last, grain)
        if grain == "week":
            # The week that the day which is not over falls into is not over either.
            return cls(as_of - timedelta(days=as_of.weekday() + 7), grain)
        return cls(as_of.replace(day=1), grain).back(1)

    def back(self, count: int) -> Period:
        """So many periods earlier.

        >>> Period(date(2026, 3, 1), "month").back(14).name, Period(date(2026, 3, 1), "day").back(1).name
        ('2025-01', '2026-02-28')
        """
        if self.grain == "month":
            months = self.first.year * 12 + self.first.month - 1 - count
            return Period(date(months // 12, months % 12 + 1, 1), self.grain)
        return Period(self.first - timedelta(days=count * (7 if self.grain == "week" else 1)), self.grain)

    @property
    def year_before(self) -> Period:
        """The same one of last year.

        >>> Period(date(2024, 2, 29), "day").year_before.name, Period(date(2024, 2, 1), "month").year_before.name
        ('2023-03-02', '2023-02')
        """
        return self.back(12) if self.grain == "month" else Period(self.first - YEAR, self.grain)

    @property
    def last(self) -> date:
        """Its last day (UTC), which counts too."""
        return self.back(-1).first - timedelta(days=1)

    @property
    def name(self) -> str:
        """``2026-11-24``, ``2026-W47`` or ``2026-10``."""
        if self.grain == "day":
            return self.first.isoformat()
        if self.grain == "month":
            return f"{self.first:%Y-%m}"
        year, week, _ = self.first.isocalendar()
        return f"{year}-W{week:02}"

    @property
    def told(self) -> str:
        """For people.

        >>> Period(date(2026, 11, 22), "day").told, Period(date(2026, 10, 1), "month").told
        ('Sunday, 22 November 2026', 'October 2026')
        >>> Period(date(2026, 11, 16), "week").told
        'week 47, 16 November to 22 November 2026'
        """
        if self.grain == "month":
            return f"{self.first:%B %Y}"
        if self.grain == "day":
            return f"{self.first:%A}, {self.first.day} {self.first:%B %Y}"
        begins = f"{self.first.day} {self.first:%B}" + (
            f" {self.first.year}" if self.first.year < self.last.year else ""
        )
        return f"week {self.first.isocalendar().week}, {begins} to {self.last.day} {self.last:%B %Y}"
