"""Adds the landing files to the raw layer, and deals the tables out to be cleaned."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

import networkx  # type: ignore[import-untyped]

from lake.contracts import Contract
from lake.extract import manifest, strays
from lake.extract.manifest import Manifest
from lake.layers import raw
from lake.ledger import journal
from lake.platform import catalog
from lake.run import Run
from lake.steps import in_force, news
from lake.steps.logged import logged

ASKED_AT_ONCE = 4
SLOTS = 2
"""How many tasks clean tables at the same time."""


@logged
def register(run: Run) -> list[list[str]]:
    """Add what a run has landed to ``raw``; the tables to clean, in batches of like weight, one for each slot at most.

    Tables that nothing concerns are left as they are, and where there is nothing new at all, there is no batch. The
    journal keeps which tables are ``cleaned``, which of them had rows in quarantine before (``waiting``), and, of a run
    that found nothing new, which run's lake it found to be the source's still (``unchanged_since``).
    """
    contracts = in_force.contracts(run)
    manifests = manifest.read_run(run.sources, run.run_id)
    last = news.before(run)
    journal.forget_parts(run.run_id, "clean")
    if last and news.is_none(run, last, manifests):
        journal.write(run.run_id, "register", {"cleaned": [], "waiting": [], "unchanged_since": last.run_id})
        return []
    have = catalog.contents(run.branch)
    read = {landed.table: landed for landed in manifests if not landed.is_held}
    changed = [landed for name, landed in read.items() if landed.has_news or f"raw.{name}" not in have]
    _register(run, contracts, changed, have)
    # Rows that wait are judged again by code that is new; so is what was counted by it.
    concerned = news.concerned(contracts, (one.table for one in changed)) if last and changed else set(contracts)
    concerned &= read.keys()
    waiting = _waiting(run, concerned & {name.removeprefix("quarantine.") for name in have})
    journal.write(
        run.run_id, "register", {"cleaned": sorted(concerned), "waiting": sorted(waiting), "unchanged_since": ""}
    )
    rows = {landed.table: landed.rows for landed in manifests}
    return batches({name: contracts[name] for name in sorted(concerned)}, rows, SLOTS)


def _register(run: Run, contracts: Mapping[str, Contract], manifests: list[Manifest], present: Container[str]) -> None:
    """Add landing files to ``raw``, and remove what other tries of the run have left beside them."""
    raw.register_all(manifests, contracts, run.branch, present)
    for source, of_source in groupby(sorted(manifests, key=_source), _source):
        strays.remove(source, run.run_id, of_source)


def _source(landed: Manifest) -> str:
    return landed.snapshot.source


def _waiting(run: Run, tables: Iterable[str]) -> list[str]:
    """Those of the tables that have rows in quarantine."""
    listed = sorted(tables)
    with ThreadPoolExecutor(max_workers=ASKED_AT_ONCE) as pool:
        counts = pool.map(lambda table: raw.row_count(run.branch, "quarantine", table), listed)
    return [table for table, count in zip(listed, counts, strict=True) if count]


def batches(contracts: Mapping[str, Contract], rows: Mapping[str, int], slots: int) -> list[list[str]]:
    """Deal the tables out, heaviest first, always to the lightest list.

    Tables that point at each other, however indirectly, stay together, because parents are cleaned first.

    Args:
        rows: rows that were read of each table.
    """
    graph = networkx.Graph()
    graph.add_nodes_from(contracts)
    for name, contract in contracts.items():
        graph.add_edges_from((name, parent) for parent, _ in contract.references.values() if parent in contracts)

    def weight(tables: list[str]) -> int:
        return sum(rows[table] + 1000 for table in tables)

    families = sorted((sorted(family) for family in networkx.connected_components(graph)), key=weight, reverse=True)
    dealt: list[list[str]] = [[] for _ in range(min(slots, len(families)))]
    for family in families:
        min(dealt, key=weight).extend(family)
    return dealt
