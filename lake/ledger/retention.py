"""Which receipts are kept: all of the last month, the last one of each day for a year, the last one of each month for
ever. What a kept receipt names can be read as it was; of the others nothing is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from datetime import UTC, datetime, timedelta

from lake.errors import LakeError
from lake.ledger import receipts
from lake.ledger.receipts import Receipt
from lake.platform import catalog
from lake.run import last_published
from lake.settings import settings


def kept(found: Iterable[Receipt], now: datetime, needed: Set[str] = frozenset()) -> set[str]:
    """Ids of the receipts that are to be kept.

    One that only says that nothing has changed stands for its day or month where no other does, and keeps the one that
    it points at.

    Args:
        now: with a time zone.
        needed: ids of receipts that are kept whatever their age.
    """
    config = settings()
    by_age = sorted(found, key=lambda receipt: (not receipt.unchanged_since, published_at(receipt)))
    all_since, daily_since = (now - timedelta(days=n) for n in (config.receipts_all_days, config.receipts_daily_days))
    # The last one of each in this order: a later one that published comes after all that did not.
    last_of_month = {published_at(receipt).strftime("%Y-%m"): receipt for receipt in by_age}
    last_of_day = {published_at(receipt).date(): receipt for receipt in by_age if published_at(receipt) >= daily_since}
    chosen = [
        *last_of_month.values(),
        *last_of_day.values(),
        *(receipt for receipt in by_age if receipt.run_id in needed or published_at(receipt) >= all_since),
    ]
    return {one for receipt in chosen for one in (receipt.run_id, receipt.unchanged_since) if one}


def needed(commit: str) -> set[str]:
    """Runs from which the next increment starts after a commit of main: the one that published it, and the newest that
    found its lake to be the source's still."""
    published = last_published(commit)
    if published is None:
        return set()
    return {run_id for run_id in (published, receipts.newest_unchanged_since(published)) if run_id}


def published_at(receipt: Receipt) -> datetime:
    """When a run was published, or found that there was nothing new; UTC."""
    instant = datetime.fromisoformat(receipt.published_at)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def unreadable(commit: str, error: LakeError) -> LakeError:
    """What to say where the lake cannot be read at a commit: whether the policy explains it."""
    if commit == catalog.head() or any(receipt.lake_commit == commit for receipt in receipts.receipts()):
        return error
    return LakeError(
        f"the lake cannot be read as it was at {commit}, of which no receipt is kept: {error.what}",
        f"{receipts.policy()}. Other commits can be read for {settings().grace_hours} hours",
    )
