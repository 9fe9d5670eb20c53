"""Makes recommendations of what was published. No part of a run, which waits for none of it: a DAG follows."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from lake.ledger import receipts
from lake.recommend import make, source, versions
from lake.recommend.baskets import NothingToLearnError

log = logging.getLogger(__name__)


def recommend(run_id: str, asked: bool) -> str | None:
    """Make the recommendations of a published run, once a day; in between, forget who is no longer a customer.

    Args:
        run_id: one that found nothing new stands for the one that published the lake which it found.
        asked: whether a person wants them now, whatever was made today.

    Returns:
        The receipt that a version was made from; None where none was made.

    Raises:
        AuditError: the version is worse than the one that counts by more than the margin.
        LakeError: the run has no receipt.
    """
    receipt = receipts.published(run_id)
    made_today = [one for one in versions.history() if one.at.date() == datetime.now(UTC).date()]
    if made_today and not asked:
        log.info("recommendations were made today, of %s: those of %s can wait", made_today[0].run_id, run_id)
        make.forget(set(source.customers(receipt)))
        return None
    try:
        return make.make(receipt).run_id
    except NothingToLearnError as error:
        if asked:
            raise
        log.info("no recommendations of %s: %s", run_id, error)
        return None
