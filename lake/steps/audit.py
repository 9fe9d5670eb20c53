"""Checks everything that the run changed, before anybody sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lake.contracts import Contract
from lake.extract import manifest
from lake.ledger import journal
from lake.platform import catalog as lake_catalog
from lake.platform import sql
from lake.quality import audit as auditing
from lake.quality import counts, few, suites
from lake.quality.counts import Checked, Contents, Rows
from lake.quality.suites import Suite
from lake.run import Run
from lake.steps import cleaning, in_force, news
from lake.steps.logged import logged


@dataclass(frozen=True)
class _Found:
    """What there is to check.

    Attributes:
        rows: of every table.
        expected: rows of ``cleaned``, by what the source counts.
        changed: contracts of the tables that the run has changed and that should have rows, in order.
        contents: of these.
        large: those of them that Trino counts.
    """

    rows: dict[str, Rows]
    expected: dict[str, int]
    changed: list[Contract]
    contents: dict[str, Contents]
    large: list[Checked]


@logged
def audit(run: Run) -> dict[str, Any]:
    """Check what changed, and compare the counts of the rest; a summary for the receipt.

    Raises:
        AuditError: a blocking check failed.
        ServiceError: Trino went away, so that nothing was found out.
    """
    contracts = in_force.contracts(run)
    # Not the catalog of the marts, which are built at the same time.
    with sql.catalog_at(f"{run.branch}_audit", run.branch) as catalog:
        found = _find(run, contracts, catalog)
        counted = [*_checks(catalog, found), *counts.missing(catalog, found.changed)]
        for table, contract in contracts.items():
            counted.append(counts.complete(contract, found.expected[table], found.rows[table].cleaned))
        counted += [counts.waiting(table, held.quarantine) for table, held in found.rows.items() if held.quarantine]
        if run.has_marts:
            counted += _reconciled(run, catalog, found)
        summary = auditing.audit(run, catalog, _suites(found), counted).summary()
    rows = {table: held.to_json() for table, held in found.rows.items()}
    journal.write(run.run_id, "audit", {**summary, "rows": rows})
    return summary


def _find(run: Run, contracts: Mapping[str, Contract], catalog: str) -> _Found:
    """Count what has to be counted: of tables that the last audit has counted it is known."""
    known, present = _known(run), lake_catalog.contents(run.branch)
    unknown = sorted(contracts.keys() - known.keys())
    source_rows = {landed.table: landed.source_rows for landed in manifest.read_run(run.sources, run.run_id)}
    waiting = {table: rows.quarantine for table, rows in known.items()}
    waiting |= counts.quarantined(run.branch, unknown, present)
    expected = {table: source_rows[table] - waiting[table] for table in contracts}
    changed = [contracts[table] for table in sorted(cleaning.changed_tables(run)) if expected[table] > 0]
    in_memory = few.contents(run.branch, changed)
    large = _large([contract for contract in changed if contract.table not in in_memory], run)
    cleaned = {table: rows.cleaned for table, rows in known.items()} | dict.fromkeys(unknown, 0)
    cleaned |= {table: contents.rows for table, contents in in_memory.items()}
    others = [table for table in unknown if table not in in_memory and f"cleaned.{table}" in present]
    cleaned |= counts.of(catalog, "cleaned", others)
    rows = {table: Rows(cleaned[table], waiting[table]) for table in contracts}
    return _Found(rows, expected, changed, in_memory | counts.contents(catalog, large), large)


def _suites(found: _Found) -> list[Suite]:
    """What Great Expectations checks."""
    of_run = {one.contract.table: one.run_id for one in found.large}
    listed = [suites.cleaned(one, of_run.get(one.table, "")) for one in found.changed if found.contents[one.table].rows]
    return [suite for suite in listed if suite.expectations]


def _reconciled(run: Run, catalog: str, found: _Found) -> list[auditing.CheckResult]:
    """Whether the facts have the rows of the tables that they are made of."""
    facts = [fact for fact in counts.FACTS if fact not in journal.read(run.run_id, "curate")["held"]]
    cleaned = {table: rows.cleaned for table, rows in found.rows.items()}
    return counts.reconciled(counts.of(catalog, "curated", facts), cleaned)


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


def _checks(catalog: str, found: _Found) -> list[auditing.CheckResult]:
    """What is checked of the tables that changed, by counts that a few statements find for all large ones of them."""
    keys = {
        table: (contents.keys, contents.rows) for table, contents in found.contents.items() if contents.keys is not None
    }
    keys |= counts.keys(catalog, [one for one in found.large if one.contract.key])
    checked = [counts.unique(contract, *keys[contract.table]) for contract in found.changed if contract.key]
    for contract in found.changed:
        contents = found.contents[contract.table]
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
