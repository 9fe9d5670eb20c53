"""How old the lake's copy of each table is and may be, as the watch reckons it (`lake.alerts.freshness`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from lake.alerts.freshness import Age, ages
from lake.observe import bounds
from lake.observe.metrics import AS_OF, SOURCE_AS_OF, STALE_AFTER, Sample
from lake.observe.news import News, Remembered

NAME = "freshness"
CONTRACTS_SECONDS = 600.0
"""How old what is known of contracts and sources may be; what was published is looked at each time."""


class Freshness:
    """Looks at receipts and contracts when there is another receipt."""

    def __init__(self) -> None:
        self._news = News()
        self._ages: Remembered[list[Age]] = Remembered(CONTRACTS_SECONDS)

    def collect(self) -> list[Sample]:
        """The ages, and what they may be now; nothing before the first publish.

        Raises:
            ContractError: a contract with a rule of its own is malformed.
            ServiceError: the catalog or the object store is away.
        """
        state = self._news.state()
        return [] if state is None else list(samples(self._ages.get(state, ages), datetime.now(UTC)))


def samples(found: Sequence[Age], now: datetime) -> Iterator[Sample]:
    """What the ages come to at an instant. Where there are too many tables, the oldest ones are shown."""
    newest: dict[str, float] = {}
    for age in found:
        if age.is_shown:
            newest[age.source] = max(age.since.timestamp(), newest.get(age.source, 0.0))
    for source, instant in newest.items():
        yield SOURCE_AS_OF(instant, source)
    shown = bounds.shown({(age.source, age.table): (now - age.since).total_seconds() for age in found})
    yield shown.sample(NAME)
    for age in found:
        if (age.source, age.table) in shown.tables:
            if age.is_shown:
                yield AS_OF(age.since.timestamp(), age.source, age.table)
            limit = age.limit(now)
            if limit is not None:
                yield STALE_AFTER(limit.total_seconds(), age.source, age.table)
