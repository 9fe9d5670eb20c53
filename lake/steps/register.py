"""Adds the landing files to the raw layer, and deals the tables out to be cleaned."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import networkx  # type: ignore[import-untyped]

from lake.contracts import Contract
from lake.extract import manifest, strays
from lake.extract.manifest import Manifest
from lake.layers import raw
from lake.ledger import journal
from lake.run import Run

REGISTERED_AT_ONCE = 4
SLOTS = 2
"""How many tasks clean tables at the same time."""


def register(run: Run) -> list[list[str]]:
    """Add what a run has landed to ``raw``; the tables to clean, in batches of like weight, one for each slot at most.

    The journal keeps which tables had rows in quarantine before anything was cleaned (``waiting``).
    """
    contracts = run.contracts()

    def one(landed: Manifest) -> bool:
        raw.register(landed, contracts[landed.table], run.branch)
        return raw.row_count(run.branch, "quarantine", landed.table) > 0

    waiting: list[str] = []
    rows: dict[str, int] = {}
    for source in run.sources:
        manifests = manifest.read_all(source, run.run_id)
        # Nearly all of a table's time is waiting for the catalog and the object store.
        with ThreadPoolExecutor(max_workers=REGISTERED_AT_ONCE) as pool:
            waits = pool.map(one, manifests)
            waiting += [landed.table for landed, waits_here in zip(manifests, waits, strict=True) if waits_here]
        strays.remove(source, run.run_id, manifests)
        rows |= {landed.table: landed.rows for landed in manifests}
    journal.forget_parts(run.run_id, "clean")
    journal.write(run.run_id, "register", {"waiting": waiting})
    return batches(contracts, rows, SLOTS)


def batches(contracts: Mapping[str, Contract], rows: Mapping[str, int], slots: int) -> list[list[str]]:
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
