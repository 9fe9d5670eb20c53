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
"""From the month on in which a lake has all that it keeps of a shop of this size, it may at most become so many times
as large."""


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
        for what, bytes_then in ended[SETTLED - 1].stored.items():
            bytes_now = ended[-1].stored[what]
            assert bytes_now <= MOST * bytes_then, f"{what}: {bytes_now:,}, after {bytes_then:,} in month {SETTLED}"
