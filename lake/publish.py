"""Publishing: one merge of the run's branch into main, every table at once or none, and the receipt of it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from tenacity import before_sleep_log, retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from lake import catalog, faultpoints
from lake.errors import ServiceError
from lake.ledger import receipts
from lake.ledger.receipts import Receipt
from lake.run import Run

log = logging.getLogger(__name__)


def publish(run: Run, evidence: dict[str, Any]) -> Receipt:
    """Merge the run's branch into main and write its receipt.

    Killed after the merge and run again, it finds the merge by its message and only writes the receipt.

    Args:
        evidence: the receipt's other fields: ``source_instant``, ``source_position``, ``sources``,
            ``dbt_manifest_sha256``, ``tables``, ``layers``, ``checks``.

    Raises:
        CatalogError: main changed a table that the run changed too; main is as it was.
    """
    commit = _merge(run)
    faultpoints.reach("publish.merged")
    receipt = Receipt(
        run_id=run.run_id,
        lake_commit=commit.hash,
        published_at=datetime.fromisoformat(commit.committed_at).astimezone(UTC).isoformat(),
        code_version=run.code_version,
        **evidence,
    )
    receipts.write(receipt)
    catalog.delete_branch(run.branch)
    log.info("published %s as %s", run.run_id, commit.hash)
    return receipt


@retry(
    # The merge may have happened though its answer was lost: the log of main tells.
    retry=retry_if_exception_type(ServiceError),
    stop=stop_after_attempt(5),
    wait=wait_random_exponential(max=10),
    before_sleep=before_sleep_log(log, logging.WARNING),
    reraise=True,
)
def _merge(run: Run) -> catalog.Commit:
    commit = _merged(run)
    if commit is None:
        catalog.merge(run.branch, run.published_as)
        # A branch on which nothing was written leaves no commit: main as it is shows what the run found.
        commit = _merged(run) or catalog.log(limit=1)[0]
    return commit


def _merged(run: Run) -> catalog.Commit | None:
    return next((commit for commit in catalog.log() if commit.message == run.published_as), None)
