"""Merges the run's branch into main, and leaves the receipt."""

from __future__ import annotations

from typing import Any

from lake.extract import manifest
from lake.extract.manifest import Manifest
from lake.layers.outcome import Outcome
from lake.ledger import journal
from lake.ledger import publish as publishing
from lake.ledger.receipts import Receipt
from lake.run import Run
from lake.settings import settings
from lake.source.snapshot import Snapshot
from lake.steps import cleaning


def publish(run: Run) -> Receipt:
    """Publish a run, every table at once or none; its receipt.

    Raises:
        CatalogError: main changed a table that the run changed too; main is as it was.
        LakeError: a step before this one has not come to its end.
    """
    manifests = manifest.read_run(run.sources, run.run_id)
    outcomes = cleaning.outcomes(run)
    curated, marts = journal.read(run.run_id, "curate"), journal.read(run.run_id, "marts")
    checks = journal.read(run.run_id, "audit")
    snapshots = {landed.snapshot.source: landed.snapshot for landed in manifests}
    # Reports say as of when the shop was read. Without it, the lake is as old as its oldest source.
    snapshot = snapshots.get(settings().source_name) or min(snapshots.values(), key=lambda found: found.instant)
    draft = Receipt(
        run_id=run.run_id,
        lake_commit="",
        published_at="",
        code_version=run.code_version,
        contracts_sha256=run.contracts_sha256,
        dbt_manifest_sha256=marts["manifest_sha256"],
        source_instant=snapshot.instant.isoformat(),
        source_position=snapshot.position,
        sources={name: _proven(found) for name, found in snapshots.items()},
        tables={landed.table: _table(landed, outcomes[landed.table]) for landed in manifests},
        layers={
            "raw": sum(landed.rows + landed.deleted for landed in manifests),
            "cleaned": sum(outcome.valid for outcome in outcomes.values()),
            "quarantine": sum(outcome.refused for outcome in outcomes.values()),
            "curated": sum(curated.values()),
            "marts": sum(marts["rows"].values()),
        },
        checks={**checks, "dbt_tests": marts["tests"]},
    )
    return publishing.publish(run, draft)


def _proven(snapshot: Snapshot) -> dict[str, Any]:
    """What a receipt says of a source."""
    return {
        "instant": snapshot.instant.isoformat(),
        "position": snapshot.position,
        "is_exact": snapshot.is_exact,
        "server": snapshot.server,
    }


def _table(landed: Manifest, outcome: Outcome) -> dict[str, Any]:
    """What a receipt says of a table."""
    return {
        "source": landed.snapshot.source,
        "mode": landed.mode,
        "way": landed.way,
        "reason": landed.reason,
        "read": landed.rows,
        "nulled": landed.nulled,
        "source_rows": landed.source_rows,
        "judged": outcome.judged,
        "valid": outcome.valid,
        "refused": outcome.refused,
        "deleted": outcome.deleted,
        "reasons": outcome.reasons,
    }
