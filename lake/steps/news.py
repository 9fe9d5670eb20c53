"""What a run found to be new, and which tables it concerns.

Most tables of most runs are as they were. What they were proven to be then holds still, so nothing of them is computed
again, and a run that finds nothing new at all publishes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import networkx  # type: ignore[import-untyped]

from lake.contracts import Contract
from lake.extract.manifest import Manifest
from lake.ledger import receipts, rewritten
from lake.ledger.receipts import Receipt
from lake.platform import catalog
from lake.run import Run, last_published


def before(run: Run) -> Receipt | None:
    """The receipt of the run whose lake this one starts from, if what it says can be relied on: its code and the way in
    which this run was asked for must be such that the same data would come out the same."""
    run_id = last_published(run.base)
    receipt = receipts.find(run_id) if run_id else None
    is_same = receipt is not None and receipt.code_sha256 == run.code_sha256 != ""
    return receipt if is_same and run.asked == "auto" else None


def is_none(run: Run, last: Receipt, manifests: Iterable[Manifest]) -> bool:
    """Whether the source is what the last receipt says: the same tables under the same contracts, no row that changed,
    and as many rows as it had."""
    found = {landed.table: landed for landed in manifests}
    return (
        last.contracts_sha256 == run.contracts_sha256
        and bool(last.dbt_manifest_sha256) == run.has_marts
        and last.tables.keys() == found.keys()
        and not any(landed.has_news for landed in found.values())
        and all(landed.source_rows == last.tables[table]["source_rows"] for table, landed in found.items())
    )


def changed_since(run: Run, last: Receipt, layers: Iterable[str]) -> set[str]:
    """Qualified names of the tables of some layers that are others on the run's branch than a receipt published. Those
    that maintenance has only written anew are the same."""
    now, then = catalog.contents(run.branch), catalog.contents(f"{catalog.MAIN}@{last.lake_commit}")
    return rewritten.changed({name: now[name] for name in now if name.split(".", 1)[0] in layers}, then)


def concerned(contracts: Mapping[str, Contract], changed: Iterable[str]) -> set[str]:
    """The tables that changed, and those that point at them, however indirectly: a row may have lost its parent, or
    found it."""
    graph = networkx.DiGraph()
    graph.add_nodes_from(contracts)
    graph.add_edges_from(
        (parent, name) for name, contract in contracts.items() for parent, _ in contract.references.values()
    )
    found = set(changed)
    return found.union(*(networkx.descendants(graph, table) for table in found)) & contracts.keys()
