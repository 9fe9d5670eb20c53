"""The steps of the pipeline as Airflow calls them: plain values in, plain values out.

Each function is one task. What passes between them is small and JSON: the run, per-table counts, addresses; the data
itself stays in the lake.
"""

from __future__ import annotations

import logging
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import networkx  # type: ignore[import-untyped]

from lake import contracts as contract_files
from lake.contracts import Contract
from lake.platform.catalog import MAIN
from lake.run import PREFIX, Run, last_published, open_run, run_id_of
from lake.settings import PROJECT, settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from lake.changes.strategy import State

log = logging.getLogger(__name__)

REGISTERED_AT_ONCE = 4
SLOTS = 2
"""How many tasks clean tables at the same time."""

PROVEN = ("instant", "position", "server")
"""What a receipt says of each source."""


@cache
def code_version() -> str:
    """Commit of the checkout, or the package's version where there is none."""
    command = ["git", "-C", str(PROJECT), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return version("shoplake")


def start(dag_run_id: str, asked: Literal["auto", "full"]) -> dict[str, Any]:
    """Read the contracts, so that a mistake in one is found before anything is read, and open the branch."""
    from lake.extract import manifest
    from lake.layers import raw
    from lake.ledger import publish as publishing
    from lake.steps import scope

    # On main itself, and before the first branch: Nessie merges only what has a common ancestor, and an empty main has
    # none. Empty namespaces are no change to any table.
    raw.prepare(MAIN)
    publishing.finish_interrupted()
    sources, has_marts = scope.to_read()
    contract_files.load_all(sources)
    run = open_run(
        run_id_of(dag_run_id),
        lambda name: any(manifest.is_committed(source, name) for source in sources),
        asked=asked,
        code_version=code_version(),
        sources=tuple(sources),
        has_marts=has_marts,
    )
    log.info("run %s of %s on branch %s, from main@%s", run.run_id, ", ".join(sources), run.branch, run.base)
    return run.to_json()


def extract(run_json: dict[str, Any], source: str) -> list[dict[str, Any]]:
    """Land every table of one source as of one snapshot; a summary per table."""
    from lake.extract.extract import Request
    from lake.extract.extract import extract as extract_tables
    from lake.layers.held import HeldRows
    from lake.source import sources

    run = Run.from_json(run_json)
    states = _states(run, source) if run.asked == "auto" else {}
    requests = [
        Request(contract, states[table], HeldRows(run.branch, contract)) if table in states else Request(contract)
        for table, contract in contract_files.load_all([source]).items()
    ]
    return [
        {
            "table": manifest.table,
            "source": source,
            "mode": manifest.mode,
            "way": manifest.way,
            "reason": manifest.reason,
            "rows": manifest.rows,
            "nulled": manifest.nulled,
            "bytes": sum(part.bytes for part in manifest.parts),
            "source_rows": manifest.source_rows,
            "snapshot": manifest.snapshot.to_json(),
        }
        for manifest in extract_tables(sources.named(source), requests, run.run_id)
    ]


def _states(run: Run, source: str) -> dict[str, State]:
    """What the run before, which the branch starts from, left for each table's increment; nothing for a first run."""
    from lake.changes.strategy import State
    from lake.extract import manifest

    before = last_published(run.base)
    if before is None or not manifest.is_committed(source, before):
        return {}
    return {entry.table: State.from_json(entry.state) for entry in manifest.read_all(source, before)}


def register(run_json: dict[str, Any], extracted: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Add the landing files to the raw layer, and deal out the cleaning.

    Args:
        extracted: per source, what `extract` returned; so for every step that follows.

    Returns:
        Batches of like weight, at most as many as there are slots. Each has its own ``tables``, and says of all tables
        how many rows were read (``read``) and which were read whole (``full``), had a row read or deleted
        (``touched``), or have rows in quarantine (``waiting``).
    """
    from lake.extract import manifest, strays
    from lake.layers import raw

    run = Run.from_json(run_json)
    contracts, tables = contract_files.load_all(run.sources), _tables(extracted)

    def one(landed: manifest.Manifest) -> tuple[raw.Registered, int]:
        registered = raw.register(landed, contracts[landed.table], run.branch)
        return registered, raw.row_count(run.branch, "quarantine", landed.table)

    registered: list[tuple[raw.Registered, int]] = []
    for source in run.sources:
        manifests = manifest.read_all(source, run.run_id)
        # Nearly all of a table's time is waiting for the catalog and the object store.
        with ThreadPoolExecutor(max_workers=REGISTERED_AT_ONCE) as pool:
            registered += pool.map(one, manifests)
        strays.remove(source, run.run_id, manifests)
    read = {item["table"]: item["rows"] for item in tables}
    work = {
        "read": read,
        "full": [item["table"] for item in tables if item["mode"] == "full"],
        "touched": [outcome.table for outcome, _ in registered if outcome.changed],
        "waiting": [outcome.table for outcome, waiting in registered if waiting],
    }
    return [{"tables": batch, **work} for batch in batches(contracts, read, SLOTS)]


def tidy() -> int:
    """Delete landing files that no table, no branch and no manifest refers to; how many there were. Runs that were
    merged and then killed get their receipts first.

    Nothing of a published run is touched, nor of one whose branch is there: it may be running.
    """
    from lake.extract import strays
    from lake.layers import raw
    from lake.ledger import publish as publishing
    from lake.ledger import receipts
    from lake.platform import catalog
    from lake.source import sources

    def living() -> set[str]:
        # In this order: a run has its receipt before its branch is gone.
        branches = {branch.removeprefix(PREFIX) for branch in catalog.branches()}
        return branches | receipts.run_ids()

    def referred() -> set[str]:
        tables = [name.removeprefix("raw.") for name in catalog.tables() if name.startswith("raw.")]
        return {uri for table in tables for uri in raw.files(MAIN, table)}

    publishing.finish_interrupted()
    return sum(len(strays.sweep(source, living, referred)) for source in sources.known())


def _tables(extracted: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The summaries of all tables of all sources."""
    return [item for source in extracted for item in source]


def batches(contracts: dict[str, Contract], rows: dict[str, int], slots: int) -> list[list[str]]:
    """Deal the tables out, heaviest first, always to the lightest list.

    Tables that point at each other, however indirectly, stay together, because parents are cleaned first.

    Args:
        rows: rows that were read of each table.
    """
    parents = {name: [parent for parent, _ in contract.references.values()] for name, contract in contracts.items()}
    graph = networkx.Graph(parents)

    def weight(tables: list[str]) -> int:
        return sum(rows[table] + 1000 for table in tables)

    families = sorted((sorted(family) for family in networkx.connected_components(graph)), key=weight, reverse=True)
    dealt: list[list[str]] = [[] for _ in range(min(slots, len(families)))]
    for family in families:
        min(dealt, key=weight).extend(family)
    return dealt


def clean(spark: SparkSession, run_json: dict[str, Any], batch: dict[str, Any]) -> list[dict[str, Any]]:
    """Clean the tables of one batch; the outcome of each."""
    from spark_jobs.candidates import Work
    from spark_jobs.cleaned import clean as clean_tables

    work = Work(
        read=batch["read"], full=set(batch["full"]), touched=set(batch["touched"]), waiting=set(batch["waiting"])
    )
    run = Run.from_json(run_json)
    outcomes = clean_tables(spark, run, batch["tables"], contract_files.load_all(run.sources), work)
    return [outcome.to_json() for outcome in outcomes]


def curate(
    spark: SparkSession,
    run_json: dict[str, Any],
    extracted: list[list[dict[str, Any]]],
    cleaned: list[list[dict[str, Any]]],
) -> dict[str, int]:
    """Bring the star schema up to date; rows written per table. Without the shop there is none."""
    from spark_jobs.curated import curate as curate_tables

    run = Run.from_json(run_json)
    if not run.has_marts:
        log.warning("no star schema: it is made of the shop's tables, which this run does not read")
        return {}
    full = {item["table"] for item in _tables(extracted) if item["mode"] == "full"}
    contracts = contract_files.load_all(run.sources)
    written: dict[str, int] = curate_tables(spark, run, contracts, full, full | changed_tables(cleaned))
    return written


def changed_tables(cleaned: list[list[dict[str, Any]]]) -> set[str]:
    """Tables of which cleaning judged or deleted a row."""
    return {item["table"] for batch in cleaned for item in batch if item["judged"] or item["deleted"]}


def build_marts(run_json: dict[str, Any]) -> dict[str, Any]:
    """Build and test the marts with dbt; rows per model, and the manifest's hash. Without the shop there are none."""
    from lake.layers import marts
    from lake.platform import sql

    run = Run.from_json(run_json)
    if not run.has_marts:
        log.warning("no marts: they are made of the shop's tables, which this run does not read")
        return {"manifest_sha256": "", "rows": {}, "tests": {}}
    with TemporaryDirectory() as target, sql.catalog_at(run.branch, run.branch):
        result = marts.build(run.branch, Path(target))
    return {"manifest_sha256": result.manifest_sha256, "rows": result.rows, "tests": result.tests}


def audit(
    run_json: dict[str, Any], extracted: list[list[dict[str, Any]]], cleaned: list[list[dict[str, Any]]]
) -> dict[str, Any]:
    """Check everything that the run changed; a summary for the receipt.

    Raises:
        AuditError: a blocking check failed.
    """
    from lake.platform import sql
    from lake.quality import audit as auditing
    from lake.quality import counts, suites

    run = Run.from_json(run_json)
    contracts = contract_files.load_all(run.sources)
    source_rows = {item["table"]: item["source_rows"] for item in _tables(extracted)}
    # Not the catalog of the marts, which are built at the same time.
    with sql.catalog_at(f"{run.branch}_audit", run.branch) as catalog:
        waiting = counts.of(catalog, "quarantine", list(contracts))
        held = counts.of(catalog, "cleaned", list(contracts))
        expected = {table: source_rows[table] - waiting[table] for table in contracts}
        changed = {table for table in changed_tables(cleaned) if expected[table] > 0}
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
        return auditing.audit(run, catalog, chosen, counted).summary()


def publish(
    run_json: dict[str, Any],
    extracted: list[list[dict[str, Any]]],
    cleaned: list[list[dict[str, Any]]],
    curated: dict[str, int],
    marts: dict[str, Any],
    checks: dict[str, Any],
) -> dict[str, Any]:
    """Merge the branch into main and write the receipt, which is returned."""
    from lake.ledger import publish as publishing

    outcomes = {item["table"]: item for batch in cleaned for item in batch}
    summaries = _tables(extracted)
    tables = {
        item["table"]: {
            "source": item["source"],
            "mode": item["mode"],
            "way": item["way"],
            "reason": item["reason"],
            "read": item["rows"],
            "nulled": item["nulled"],
            "source_rows": item["source_rows"],
            **{name: outcomes[item["table"]][name] for name in ("judged", "valid", "refused", "deleted", "reasons")},
        }
        for item in summaries
    }
    snapshots = {item["source"]: item["snapshot"] for item in summaries}
    # Reports say as of when the shop was read. Without it, the lake is as old as its oldest source.
    snapshot = snapshots.get(settings().source_name) or min(snapshots.values(), key=lambda found: found["instant"])
    evidence = {
        "sources": {name: {key: found[key] for key in PROVEN} for name, found in snapshots.items()},
        "source_instant": snapshot["instant"],
        "source_position": snapshot["position"],
        "dbt_manifest_sha256": marts["manifest_sha256"],
        "tables": tables,
        "layers": {
            "raw": sum(item["rows"] for item in summaries) + sum(item["deleted"] for item in outcomes.values()),
            "cleaned": sum(item["valid"] for item in outcomes.values()),
            "quarantine": sum(item["refused"] for item in outcomes.values()),
            "curated": sum(curated.values()),
            "marts": sum(marts["rows"].values()),
        },
        "checks": {**checks, "dbt_tests": marts["tests"]},
    }
    return publishing.publish(Run.from_json(run_json), evidence).to_json()
