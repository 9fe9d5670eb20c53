"""Keeps the lineage of what was published. No part of a run, which waits for none of it: the DAG `lineage` follows."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime

from lake.ledger import code, receipts
from lake.ledger.receipts import Receipt
from lake.lineage.keep import keep
from lake.run import Run
from lake.steps import in_force

log = logging.getLogger(__name__)


def lineage(run_ids: Iterable[str]) -> list[str]:
    """Keep the lineage of published runs, of each that has another than the run before it.

    Args:
        run_ids: the first that was published comes first.

    Returns:
        Ids of the runs whose lineage was kept.

    Raises:
        LakeError: a run has no receipt, or a model, a builder or a query cannot be read.
    """
    return [run_id for run_id in run_ids if _keep(_published(receipts.of_run(run_id)))]


def _published(receipt: Receipt) -> Receipt:
    """The receipt of the lake that a run found to be the source's still, where it published none itself."""
    return receipts.of_run(receipt.unchanged_since) if receipt.unchanged_since else receipt


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
    return keep(run, datetime.fromisoformat(receipt.published_at), in_force.contracts(run))
