"""What the newest audit found, whether its run was published or not.

Of a published run the receipt says it. One whose audit stopped it has none: its branch holds the results.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyiceberg.expressions import EqualTo

from lake.layers import raw
from lake.ledger import receipts
from lake.ledger.freshness import LOOK_BACK
from lake.ledger.receipts import Receipt
from lake.observe.metrics import CHECKS, Sample
from lake.observe.news import News, Remembered, State
from lake.platform import catalog
from lake.quality.severity import BLOCK
from lake.run import PREFIX

LAYER, TABLE = "audit", "check_results"
MOST_BRANCHES = 20
"""Of runs, whose results are looked for: those that failed stay for some days."""
HOUR = 3600.0


@dataclass(frozen=True)
class Audited:
    """What one audit found."""

    at: datetime
    passed: int
    failed: int
    warned: int


class Audits:
    """Looks at a receipt when there is another one, and at a run's branch when it has moved."""

    def __init__(self) -> None:
        self._news = News()
        self._published: Remembered[Audited | None] = Remembered(HOUR)
        self._branches: dict[str, tuple[str, Audited | None]] = {}

    def collect(self) -> list[Sample]:
        """The newest audit; nothing before the first.

        Raises:
            ServiceError: the catalog or the object store is away.
        """
        state = self._news.state()
        found = [self._published.get(state, lambda: _published(state)), *self._of_branches()]
        return list(samples(audit for audit in found if audit))

    def _of_branches(self) -> list[Audited | None]:
        heads = {name: head for name, head in catalog.heads().items() if name.startswith(PREFIX)}
        # Names of runs hold the time at which they began.
        newest = sorted(heads, key=lambda name: name.rpartition("_20")[2], reverse=True)[:MOST_BRANCHES]
        known = self._branches
        self._branches = {}
        for name in newest:
            head, found = known.get(name, ("", None))
            self._branches[name] = heads[name], found if head == heads[name] else of_branch(name)
        return [found for _, found in self._branches.values()]


def _published(state: State | None) -> Audited | None:
    """The newest receipt of a run that audited what it had built."""
    found = receipts.newest(LOOK_BACK) if state else ()
    return next((of_receipt(one) for one in found if not one.unchanged_since and "checks" in one.checks), None)


def of_receipt(receipt: Receipt) -> Audited:
    """What a receipt says of its run's audit."""
    at = datetime.fromisoformat(receipt.published_at)
    failed, warned = receipt.checks["failed"], len(receipt.checks["warnings"])
    passed = receipt.checks["checks"] - failed - warned
    return Audited(at if at.tzinfo else at.replace(tzinfo=UTC), passed, failed, warned)


def of_branch(branch: str) -> Audited | None:
    """The results that a run's audit has left on its branch; None where it has not come so far."""
    table, run_id = raw.find(branch, LAYER, TABLE), branch.removeprefix(PREFIX)
    if table is None or table.properties.get(raw.LAST_RUN) != run_id:
        return None
    columns = ("checked_at", "severity", "is_passed")
    rows = table.scan(row_filter=EqualTo("run_id", run_id), selected_fields=columns)
    return of_results(rows.to_arrow().to_pylist())


def of_results(results: Iterable[Mapping[str, Any]]) -> Audited | None:
    """What some checks came to, by their rows in ``audit.check_results``; those of the last try, where several did."""
    found = list(results)
    if not found:
        return None
    at = max(each["checked_at"] for each in found)
    counts = Counter(_outcome(each) for each in found if each["checked_at"] == at)
    return Audited(at, counts["passed"], counts["failed"], counts["warned"])


def _outcome(result: Mapping[str, Any]) -> str:
    if result["is_passed"]:
        return "passed"
    return "failed" if result["severity"] == BLOCK else "warned"


def samples(found: Iterable[Audited]) -> Iterator[Sample]:
    """The newest of some audits."""
    newest = max(found, key=lambda audit: audit.at, default=None)
    if newest is not None:
        yield CHECKS(newest.passed, "passed")
        yield CHECKS(newest.failed, "failed")
        yield CHECKS(newest.warned, "warned")
