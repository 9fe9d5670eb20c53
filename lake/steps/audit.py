"""Checks everything that the run changed, before anybody sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lake.contracts import Contract
from lake.extract import manifest
from lake.ledger import journal
from lake.platform import catalog as lake_catalog
from lake.platform import sql
from lake.quality import audit as auditing
from lake.quality import counts, few, suites
from lake.quality.counts import Checked, Contents, Rows
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
        known, present = _known(run), lake_catalog.contents(run.branch)
        unknown = sorted(contracts.keys() - known.keys())
        waiting = {table: rows.quarantine for table, rows in known.items()}
        waiting |= counts.quarantined(run.branch, unknown, present)
        expected = {table: source_rows[table] - waiting[table] for table in contracts}
        changed = [contracts[table] for table in sorted(cleaning.changed_tables(run)) if expected[table] > 0]
        few_rows = few.contents(run.branch, changed)
        large = _large([contract for contract in changed if contract.table not in few_rows], run)
        found = few_rows | counts.contents(catalog, large)
        cleaned = {table: rows.cleaned for table, rows in known.items()} | dict.fromkeys(unknown, 0)
        whole = {table: contents.rows for table, contents in few_rows.items()}
        others = [table for table in unknown if table not in whole and f"cleaned.{table}" in present]
        cleaned |= whole | counts.of(catalog, "cleaned", others)
        rows = {table: Rows(cleaned[table], waiting[table]) for table in contracts}
        of_run = {one.contract.table: one.run_id for one in large}
        suited = [suites.cleaned(one, of_run.get(one.table, "")) for one in changed if found[one.table].rows]
        chosen = [suite for suite in suited if suite.expectations]
        counted = _checks(catalog, changed, large, found)
        counted += counts.missing(catalog, changed)
        counted += [counts.complete(contracts[table], expected[table], cleaned[table]) for table in contracts]
        counted += [counts.waiting(table, waiting[table]) for table in contracts if waiting[table]]
        if run.has_marts:
            facts = [fact for fact in counts.FACTS if fact not in journal.read(run.run_id, "curate")["held"]]
            counted += counts.reconciled(counts.of(catalog, "curated", facts), cleaned)
        summary = auditing.audit(run, catalog, chosen, counted).summary()
    journal.write(run.run_id, "audit", {**summary, "rows": {table: held.to_json() for table, held in rows.items()}})
    return summary


def _large(contracts: list[Contract], run: Run) -> list[Checked]:
    """What Trino checks of some tables: the rows that the run has written, where those of runs before were checked.

    They were where the table which the run found is that of the last receipt, and this is one whose checks are today's.
    """
    last = news.before(run)
    proven: set[str] = set()
    if last is not None:
        found = lake_catalog.contents(run.base_reference)
        then = lake_catalog.contents(f"{lake_catalog.MAIN}@{last.lake_commit}")
        proven = {name for name, address in found.items() if then.get(name) == address}
    return [Checked(one, run.run_id if f"cleaned.{one.table}" in proven else "") for one in contracts]


def _checks(
    catalog: str, changed: list[Contract], large: list[Checked], found: Mapping[str, Contents]
) -> list[auditing.CheckResult]:
    """What is checked of the tables that changed, by counts that a few statements find for all large ones of them."""
    keys = {table: (contents.keys, contents.rows) for table, contents in found.items() if contents.keys is not None}
    keys |= counts.keys(catalog, [one for one in large if one.contract.key])
    checked = [counts.unique(contract, *keys[contract.table]) for contract in changed if contract.key]
    for contract in changed:
        contents = found[contract.table]
        checked += [counts.not_null(contract, name, contents.rows, filled) for name, filled in contents.filled.items()]
        checked += [counts.labels(contract, name, strange) for name, strange in contents.strange.items()]
    return checked


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
