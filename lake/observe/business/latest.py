"""The collector of the business figures: shows those of the newest receipt, and has them computed if need be."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from lake.errors import LakeError, ServiceError
from lake.ledger import receipts
from lake.ledger.receipts import Receipt
from lake.observe.business import declared, figures
from lake.observe.business.figures import ByDay, Figures, Of
from lake.observe.metrics import BUSINESS, BUSINESS_AS_OF, BUSINESS_OF_DEPARTMENT, NEWEST_DAY, Sample
from lake.observe.news import News, Remembered, State
from lake.platform import sql
from lake.reports.quality import instant

log = logging.getLogger(__name__)

NAME = "business"
COMPUTE_SECONDS = 540
"""How long it may take to compute them; on two busy cores it is half a minute."""
AGAIN_SECONDS = 600.0
"""After which what could not be computed is tried again. Until then, another process would fail as the last one did."""
HOUR = 3600.0

DAYS = {"today": 0, "yesterday": 1, "week_before": 8}
"""How many days each is back. The last is the weekday of yesterday, a week before it."""

Compute = Callable[[str, str], None]
"""Run's id and last day in; afterwards the figures are kept."""


def compute(run_id: str, last: str) -> None:
    """Have the figures computed by a process of its own.

    Raises:
        ServiceError: Trino does not answer, or it took too long.
        LakeError: it failed, with what it said.
    """
    sql.query("SELECT 1")  # what is away need not be found out by a process that takes its time to begin
    command = (sys.executable, "-m", "lake.observe.business", run_id, last)
    try:
        ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=COMPUTE_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise ServiceError(f"the business figures of {run_id} were not computed within {COMPUTE_SECONDS} s") from error
    if ended.returncode:
        raise LakeError(f"the business figures of {run_id} could not be computed: {ended.stderr.strip()[-800:]}")
    if said := ended.stderr.strip():
        log.warning("the business figures of %s: %s", run_id, said[-800:])


class Business:
    """Looks at the figures when there is another receipt.

    Args:
        compute: has them computed.
        clock: seconds, of what does not jump.
    """

    def __init__(self, compute: Compute = compute, clock: Callable[[], float] = time.monotonic) -> None:
        self._compute, self._clock = compute, clock
        self._news = News()
        self._receipt: Remembered[Receipt | None] = Remembered(HOUR)
        self._figures: Figures | None = None
        self._failed: tuple[Of, float, LakeError] | None = None

    def collect(self) -> list[Sample]:
        """The figures of the newest receipt; nothing before the first publish.

        Raises:
            LakeError: they could not be computed, now or lately.
            ServiceError: the catalog, the object store or Trino is away.
        """
        state = self._news.state()
        receipt = self._receipt.get(state, lambda: _read(state)) if state else None
        if receipt is None:
            return []
        of = Of(receipt.lake_commit, instant(receipt.source_instant).date().isoformat(), declared.sha256())
        if self._figures is None or self._figures.of != of:
            self._figures = self._of(of, receipt.run_id)
        return list(samples(self._figures, receipt, datetime.now(UTC).date()))

    def _of(self, of: Of, run_id: str) -> Figures:
        if (found := figures.kept()) and found.of == of:
            return found
        if self._failed and self._failed[0] == of and self._clock() - self._failed[1] < AGAIN_SECONDS:
            raise self._failed[2]
        try:
            self._compute(run_id, of.last)
        except ServiceError:
            raise
        except LakeError as error:
            self._failed = (of, self._clock(), error)
            raise
        found = figures.kept()
        if found is None or found.of != of:
            raise LakeError(f"the business figures of {run_id} are not at {figures.ADDRESS}, though they were computed")
        return found


def _read(state: State) -> Receipt | None:
    return receipts.of_run(state.run_id) if state.has_receipt else next(receipts.newest(1), None)


def samples(found: Figures, receipt: Receipt, today: date) -> Iterator[Sample]:
    """What the figures come to on a day.

    A day is told when the shop was read after it was over, today as far as it was read. So what an old receipt knows of
    a day that had just begun is never taken for that day.
    """
    read = instant(receipt.source_instant)
    yield BUSINESS_AS_OF(read.timestamp(), receipt.run_id)
    wanted = {label: today - timedelta(days=back) for label, back in DAYS.items()}
    over = read.date() - timedelta(days=1)
    told = {label: day for label, day in wanted.items() if day <= (read.date() if label == "today" else over)}
    for metric, by_day in found.whole.items():
        if by_day:
            newest = datetime.fromisoformat(max(by_day)).replace(tzinfo=UTC)
            yield NEWEST_DAY(newest.timestamp(), metric)
        for label, value in _of_days(by_day, told):
            yield BUSINESS(value, metric, label)
    for metric, departments in found.departments.items():
        for department, by_day in departments.items():
            for label, value in _of_days(by_day, told):
                yield BUSINESS_OF_DEPARTMENT(value, metric, department, label)


def _of_days(by_day: ByDay, told: dict[str, date]) -> Iterator[tuple[str, float]]:
    for label, day in told.items():
        if (value := by_day.get(day.isoformat())) is not None:
            yield label, float(Decimal(value))
