"""Keeps the lineage of what was published. No part of a run, which waits for none of it: the DAG `lineage` follows."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime

from lake.ledger import code, journal, receipts
from lake.ledger.receipts import Receipt
from lake.lineage.keep import keep
from lake.lineage.kept import STEP
from lake.run import Run
from lake.steps import in_force

log = logging.getLogger(__name__)


def lineage(run_ids: Iterable[str]) -> list[str]:
    """Keep the lineage of published runs, of each that has another than the run before it.

    Args:
        run_ids: the first that was published comes first. One that found nothing new stands for the one that published
            the lake which it found.

    Returns:
        Ids of the runs whose lineage was kept.

    Raises:
        LakeError: a run has no receipt, or a model, a builder or a query cannot be read.
    """
    published = (receipts.published(run_id) for run_id in run_ids)
    return [receipt.run_id for receipt in published if _keep(receipt)]


def _keep(receipt: Receipt) -> bool:
    if receipt.code_sha256 != code.total():
        log.warning("the lineage of %s is not kept: the code has been changed since it was published", receipt.run_id)
        return False
    run = Run(
        receipt.run_id,
        "",
        sources=tuple(receipt.sources),
        has_marts=bool(receipt.dbt_manifest_sha256),
        contracts_sha256=receipt.contracts_sha256,
    )
    kept = keep(run, datetime.fromisoformat(receipt.published_at), in_force.contracts(run))
    journal.write(run.run_id, STEP, {"sha256": kept.sha256})
    return kept.is_new
