"""Merges the run's branch into main, and leaves the receipt."""

from __future__ import annotations

from typing import Any

from lake import tracing
from lake.changes.strategy import RULES_EDITED
from lake.extract import manifest
from lake.extract.manifest import Manifest
from lake.layers.outcome import Outcome
from lake.ledger import code, journal, parity_ledger, receipts
from lake.ledger import publish as publishing
from lake.ledger.receipts import Receipt
from lake.quality import verdicts
from lake.quality.counts import Rows
from lake.run import Run
from lake.settings import settings
from lake.source.snapshot import Snapshot
from lake.steps import cleaning, in_force
from lake.steps.logged import logged


@logged
def publish(run: Run) -> Receipt:
    """Publish a run, every table at once or none; its receipt. A run that found nothing new leaves main as it is.

    Raises:
        CatalogError: main changed a table that the run changed too; main is as it was.
        LakeError: a step before this one has not come to its end.
    """
    manifests = manifest.read_run(run.sources, run.run_id)
    if since := journal.read(run.run_id, "register")["unchanged_since"]:
        return publishing.leave_unchanged(run, _unchanged(run, manifests, since))
    return publishing.publish(run, _changed(run, manifests))


def _draft(run: Run, manifests: list[Manifest], tables: dict[str, dict[str, Any]], **more: Any) -> Receipt:
    """A receipt without the commit and the time, which publishing gives."""
    proven = parity_ledger.verified_through()
    snapshots = {landed.snapshot.source: landed.snapshot for landed in manifests}
    # Reports say as of when the shop was read. Without it, the lake is as old as its oldest source.
    snapshot = snapshots.get(settings().source_name) or min(snapshots.values(), key=lambda found: found.instant)
    return Receipt(
        run_id=run.run_id,
        lake_commit="",
        published_at="",
        code_version=run.code_version,
        code_sha256=run.code_sha256,
        code=code.hashes(),
        contracts_sha256=run.contracts_sha256,
        trace_id=tracing.trace_id(),
        source_instant=snapshot.instant.isoformat(),
        source_position=snapshot.position,
        sources={name: _proven(found) for name, found in snapshots.items()},
        tables={
            name: {**told, "verified_through": proven[name].isoformat() if name in proven else ""}
            for name, told in tables.items()
        },
        **more,
    )


def _changed(run: Run, manifests: list[Manifest]) -> Receipt:
    outcomes = cleaning.outcomes(run)
    curated, marts = journal.read(run.run_id, "curate")["written"], journal.read(run.run_id, "marts")
    checks = journal.read(run.run_id, "audit")
    rows = checks.pop("rows")
    anew = _judged_anew(run, manifests)
    return _draft(
        run,
        manifests,
        {
            landed.table: _table(landed, outcomes[landed.table]) | rows[landed.table] | anew.get(landed.table, {})
            for landed in manifests
        },
        dbt_manifest_sha256=marts["manifest_sha256"],
        layers={
            "raw": sum(landed.rows + landed.deleted for landed in manifests),
            "cleaned": sum(outcome.valid for outcome in outcomes.values()),
            "quarantine": sum(outcome.refused for outcome in outcomes.values()),
            "curated": sum(curated.values()),
            "marts": sum(marts["rows"].values()),
        },
        checks={**checks, "dbt_tests": marts["tests"]},
    )


def _judged_anew(run: Run, manifests: list[Manifest]) -> dict[str, dict[str, Any]]:
    """What a receipt says beside the rest of tables whose rules were edited: how many verdicts have changed."""
    edited = [landed.table for landed in manifests if RULES_EDITED in landed.reason]
    contracts = in_force.contracts(run) if edited else {}
    return {table: {"rejudged": verdicts.rejudged(run, contracts[table]).to_json()} for table in edited}


def _unchanged(run: Run, manifests: list[Manifest], since: str) -> Receipt:
    """What was checked is that each table has as many rows as it had, besides what the way of its increment proves."""
    last = receipts.of_run(since)
    return _draft(
        run,
        manifests,
        {
            landed.table: _table(landed, Outcome(landed.table)) | Rows.from_json(last.tables[landed.table]).to_json()
            for landed in manifests
        },
        dbt_manifest_sha256=last.dbt_manifest_sha256,
        unchanged_since=since,
        layers=dict.fromkeys(last.layers, 0),
        checks={"checks": len(manifests), "failed": 0, "warnings": [], "docs": "", "dbt_tests": {}},
    )


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
        "held_since": landed.held_since.isoformat() if landed.held_since else "",
        "followed": landed.told,
        "read": landed.rows,
        "nulled": landed.nulled,
        "source_rows": landed.source_rows,
        "judged": outcome.judged,
        "valid": outcome.valid,
        "refused": outcome.refused,
        "deleted": outcome.deleted,
        "reasons": outcome.reasons,
    }
