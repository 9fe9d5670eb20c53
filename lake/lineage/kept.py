"""The lineage of a run as it was published, from the lake's books."""

from __future__ import annotations

from lake.errors import LakeError
from lake.ledger import journal, lineage_ledger, receipts
from lake.lineage import events
from lake.lineage.graph import Graph
from lake.source import sources

STEP = "lineage"
"""Under which a run's journal says which lineage is its own."""


def of_run(run_id: str) -> Graph:
    """The lineage of the lake that a run published, or found to be the source's still.

    Raises:
        LakeError: the run has no receipt, or its lineage is not kept.
    """
    published = receipts.published(run_id)
    entry = journal.find(published.run_id, STEP)
    kept = lineage_ledger.events(entry["sha256"]) if entry else []
    if not kept:
        raise LakeError(
            f"no lineage of run {published.run_id} is kept",
            "the DAG `lineage` keeps it after the publish, and its log says so if it cannot; "
            "without --run the lineage of this checkout is told",
        )
    return Graph(events.read(kept, sources.known()))
