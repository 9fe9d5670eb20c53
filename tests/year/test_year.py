"""A year passes, a run a day, and the lake is what the shop is: `make test-year`. docs/year.md says what it holds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lake.ledger import receipts
from lake.settings import PROJECT
from tests.year import oracle
from tests.year.events import FIVE_DAYS, TEN_DAYS, YEAR
from tests.year.year import Event, Year

DAYS = int(os.environ.get("LAKE_YEAR_DAYS", "365"))
REPORT = Path(os.environ.get("LAKE_YEAR_REPORT", PROJECT / "build" / "year.json"))

SETTLED, MOST = 3, 2
"""From the month on in which a lake has all that it keeps of a shop of this size, what it is now, and what it has
landed, may at most become so many times as large."""

QUARTER, MOST_A_QUARTER = 3, 1.5
"""Beyond that it keeps a state of each month for ever, so it grows by what one more of those takes: by at most so many
times as much in the last quarter as in the first after it has settled."""


def _assert_receipts_read(year: Year) -> None:
    kept = receipts.receipts()
    assert kept
    print(f"{oracle.assert_reads(kept, year.keys)} commits of {len(kept)} kept receipts read", flush=True)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("days", "events"), [(5, FIVE_DAYS), (10, TEN_DAYS)], ids=["five_days", "ten_days"])
def test_in_little(year: Year, days: int, events: tuple[Event, ...]) -> None:
    """What a year holds, and a night of parity after it."""
    year.month_days = days
    year.live(days, events)
    _assert_receipts_read(year)


@pytest.mark.slow
@pytest.mark.timeout(3 * 3600)
def test_a_year(year: Year) -> None:
    try:
        year.live(DAYS, YEAR)
        _assert_receipts_read(year)
    finally:
        year.report(REPORT)
    ended = [month for month in year.months if month.stored]
    if len(ended) > SETTLED:
        for what in ("main_bytes", "landing_bytes"):
            then, now = ended[SETTLED - 1].stored[what], ended[-1].stored[what]
            assert now <= MOST * then, f"{what}: {now:,}, after {then:,} in month {SETTLED}"
    lake = [month.stored["lake_bytes"] for month in ended[SETTLED - 1 :]]
    if len(lake) > 2 * QUARTER:
        first, last = lake[QUARTER] - lake[0], lake[-1] - lake[-1 - QUARTER]
        assert last <= MOST_A_QUARTER * first, f"the last {QUARTER} months added {last:,} bytes, the first {first:,}"
