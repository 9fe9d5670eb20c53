"""Publishing: one merge of the run's branch into main, every table at once or none, and the receipt of it."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime

from tenacity import before_sleep_log, retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from lake import faultpoints, tracing
from lake.errors import CatalogError, ServiceError
from lake.extract import manifest
from lake.ledger import receipts, rewritten
from lake.ledger.receipts import Receipt
from lake.platform import catalog
from lake.run import Run

log = logging.getLogger(__name__)


class _MainMovedError(CatalogError):
    """Main moved during a merge. Maintenance may have written tables anew after it was asked for them."""


def publish(run: Run, draft: Receipt) -> Receipt:
    """Merge the run's branch into main and write its receipt.

    Killed after the merge and run again, it finds the merge by its message and only writes the receipt.

    Args:
        draft: the receipt without the commit and the time, which the merge gives.

    Raises:
        CatalogError: main changed a table that the run changed too; main is as it was.
    """
    receipts.prepare(draft)
    with tracing.span("merge into main", service="nessie"):
        commit = _merge(run)
    faultpoints.reach("publish.merged")
    return _finish(run, draft, commit)


def leave_unchanged(run: Run, draft: Receipt) -> Receipt:
    """Write the receipt of a run that found the lake to be the source's still; nothing is merged.

    Args:
        draft: the receipt, whose `unchanged_since` names the run that published the lake.
    """
    published = receipts.of_run(draft.unchanged_since)
    now = datetime.now(UTC).isoformat()
    receipt = replace(draft, lake_commit=published.lake_commit, published_at=now)
    former = receipts.newest_unchanged_since(published.run_id)
    receipts.write(receipt)
    receipts.remember_unchanged(receipt)
    if former and former != run.run_id:
        # The next increment starts from this run. An hour in which nothing happens must not leave more than a receipt.
        for source in receipt.sources:
            manifest.forget(source, former)
    catalog.delete_branch(run.branch)
    log.info("nothing has changed since %s: main stays at %s", published.run_id, published.lake_commit)
    return receipt


def finish_interrupted() -> list[str]:
    """Write the receipts of runs that were merged and then killed, and tried again, if at all, as other runs.

    A run that was not merged may still be; what was prepared for it goes when its branch is gone.

    Returns:
        Ids of the runs that have their receipts now.
    """
    finished = []
    for draft in receipts.prepared():
        run = Run(draft.run_id, "")
        if commit := _merged(run):
            _finish(run, draft, commit)
            finished.append(run.run_id)
        elif not catalog.exists(run.branch):
            receipts.forget(run.run_id)
    return finished


def _finish(run: Run, draft: Receipt, commit: catalog.Commit) -> Receipt:
    published_at = datetime.fromisoformat(commit.committed_at).astimezone(UTC).isoformat()
    receipt = replace(draft, lake_commit=commit.hash, published_at=published_at)
    receipts.write(receipt)
    catalog.delete_branch(run.branch)
    log.info("published %s as %s", run.run_id, commit.hash)
    return receipt


@retry(
    # The merge may have happened though its answer was lost: the log of main tells.
    retry=retry_if_exception_type((ServiceError, _MainMovedError)),
    stop=stop_after_attempt(5),
    wait=wait_random_exponential(max=10),
    before_sleep=before_sleep_log(log, logging.WARNING),
    reraise=True,
)
def _merge(run: Run) -> catalog.Commit:
    commit = _merged(run)
    if commit is None:
        _merge_beside_maintenance(run)
        # A branch on which nothing was written leaves no commit: main as it is shows what the run found.
        commit = _merged(run) or catalog.log(limit=1)[0]
    return commit


def _merge_beside_maintenance(run: Run) -> None:
    main = catalog.head()
    try:
        catalog.merge(run.branch, run.published_as, _only_rewritten(run))
    except CatalogError as error:
        if catalog.head() == main:
            raise
        raise _MainMovedError(error.what, error.fix) from error


def _only_rewritten(run: Run) -> set[str]:
    """Tables that the run changed and main has too, but only by writing them anew with the rows that the run began
    with. What the run made of these rows counts, and the next maintenance writes them anew again."""
    if catalog.head() == run.base:
        return set()
    base, main = catalog.contents(f"{catalog.MAIN}@{run.base}"), catalog.contents()
    ours = catalog.contents(run.branch)
    both = {name for name in main.keys() & ours.keys() if base.get(name) not in (main[name], ours[name])}
    return both - rewritten.changed({name: main[name] for name in both}, base) if both else set()


def _merged(run: Run) -> catalog.Commit | None:
    return next((commit for commit in catalog.log() if commit.message == run.published_as), None)
