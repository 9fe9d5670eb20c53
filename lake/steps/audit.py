"""Checks everything that the run changed, before anybody sees it."""

from __future__ import annotations

from typing import Any

from lake.extract import manifest
from lake.ledger import journal
from lake.platform import sql
from lake.quality import audit as auditing
from lake.quality import counts, suites
from lake.run import Run
from lake.steps import cleaning


def audit(run: Run) -> dict[str, Any]:
    """Check what changed, and count the rest; a summary for the receipt.

    Raises:
        AuditError: a blocking check failed.
        ServiceError: Trino went away, so that nothing was found out.
    """
    contracts = run.contracts()
    source_rows = {landed.table: landed.source_rows for landed in manifest.read_run(run.sources, run.run_id)}
    # Not the catalog of the marts, which are built at the same time.
    with sql.catalog_at(f"{run.branch}_audit", run.branch) as catalog:
        waiting = counts.of(catalog, "quarantine", list(contracts))
        held = counts.of(catalog, "cleaned", list(contracts))
        expected = {table: source_rows[table] - waiting[table] for table in contracts}
        changed = {table for table in cleaning.changed_tables(run) if expected[table] > 0}
        chosen = [suites.cleaned(contracts[table], source_rows[table], waiting[table]) for table in sorted(changed)]
        chosen += [suites.quarantine(table) for table, rows in waiting.items() if rows]
        counted = [
            counts.complete(contract, expected[table], held[table])
            for table, contract in contracts.items()
            if table not in changed
        ]
        keyed = [contracts[table] for table in sorted(changed) if contracts[table].key]
        found = counts.keys(catalog, keyed)
        counted += [counts.unique(contract, expected[contract.table], found[contract.table]) for contract in keyed]
        if run.has_marts:
            counted += counts.reconciled(counts.of(catalog, "curated", list(counts.FACTS)), held)
        summary = auditing.audit(run, catalog, chosen, counted).summary()
    journal.write(run.run_id, "audit", summary)
    return summary
