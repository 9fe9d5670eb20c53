"""Checks everything that the run changed, before anybody sees it."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from lake.contracts import Contract
from lake.extract import manifest
from lake.ledger import journal
from lake.platform import catalog as lake_catalog
from lake.platform import sql
from lake.quality import audit as auditing
from lake.quality import counts, suites
from lake.quality.counts import Rows
from lake.run import Run
from lake.steps import cleaning, in_force, news


def audit(run: Run) -> dict[str, Any]:
    """Check what changed, and compare the counts of the rest; a summary for the receipt.

    Raises:
        AuditError: a blocking check failed.
        ServiceError: Trino went away, so that nothing was found out.
    """
    contracts = in_force.contracts(run)
    source_rows = {landed.table: landed.source_rows for landed in manifest.read_run(run.sources, run.run_id)}
    # Not the catalog of the marts, which are built at the same time.
    with sql.catalog_at(f"{run.branch}_audit", run.branch) as catalog:
        known = _known(run)
        rows = known | counts.rows(catalog, sorted(contracts.keys() - known.keys()), lake_catalog.contents(run.branch))
        expected = {table: source_rows[table] - rows[table].quarantine for table in contracts}
        changed = {table for table in cleaning.changed_tables(run) if expected[table] > 0}
        chosen, counted = _checks(catalog, [contracts[table] for table in sorted(changed)], run, _proven(run))
        counted += [counts.complete(contracts[table], expected[table], rows[table].cleaned) for table in contracts]
        counted += [counts.waiting(table, found.quarantine) for table, found in rows.items() if found.quarantine]
        if run.has_marts:
            held = {table: found.cleaned for table, found in rows.items()}
            facts = [fact for fact in counts.FACTS if fact not in journal.read(run.run_id, "curate")["held"]]
            counted += counts.reconciled(counts.of(catalog, "curated", facts), held)
        summary = auditing.audit(run, catalog, chosen, counted).summary()
    journal.write(run.run_id, "audit", {**summary, "rows": {table: found.to_json() for table, found in rows.items()}})
    return summary


def _checks(
    catalog: str, contracts: list[Contract], run: Run, proven: Container[str]
) -> tuple[list[suites.Suite], list[auditing.CheckResult]]:
    """What is checked of the tables that changed: suites of what their contracts demand of values, and what can be
    counted for all of them in a few statements.

    Args:
        proven: qualified names of the tables of which the rows of runs before were checked, so that only those are that
            this run has written.
    """
    checked = [
        counts.Checked(contract, run.run_id if f"cleaned.{contract.table}" in proven else "") for contract in contracts
    ]
    keys = counts.keys(catalog, [one for one in checked if one.contract.key])
    filled = counts.filled(catalog, checked)
    counted = [counts.unique(one.contract, *keys[one.contract.table]) for one in checked if one.contract.key]
    chosen = []
    for one in checked:
        rows, values = filled[one.contract.table]
        counted += [
            counts.not_null(one.contract, column, rows, values[column]) for column in counts.required(one.contract)
        ]
        suite = suites.cleaned(one.contract, one.run_id)
        if rows and suite.expectations:
            chosen.append(suite)
    return chosen, [*counted, *counts.missing(catalog, contracts)]


def _proven(run: Run) -> set[str]:
    """Tables of which what this run found had been checked: they are those of the last receipt, and it is one whose
    checks are today's."""
    last = news.before(run)
    if last is None:
        return set()
    found = lake_catalog.contents(run.base_reference)
    then = lake_catalog.contents(f"{lake_catalog.MAIN}@{last.lake_commit}")
    return {name for name, address in found.items() if then.get(name) == address}


def _known(run: Run) -> dict[str, Rows]:
    """Rows of the tables that are the very ones which the audit of the last receipt counted."""
    last = news.before(run)
    if last is None:
        return {}
    changed = news.changed_since(run, last, ("cleaned", "quarantine"))
    return {
        table: Rows.from_json(told)
        for table, told in last.tables.items()
        if not changed & {f"cleaned.{table}", f"quarantine.{table}"}
    }
