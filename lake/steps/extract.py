"""Lands every table of one source as of one snapshot."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from lake.changes.increment import Held
from lake.changes.strategy import State
from lake.contracts import Contract
from lake.errors import SourceError
from lake.extract import manifest
from lake.extract.extract import Request
from lake.extract.extract import extract as extract_tables
from lake.extract.manifest import Manifest
from lake.layers.held import HeldRows
from lake.ledger import parity_marks, standing
from lake.ledger.parity_marks import Mark
from lake.run import Run, last_published
from lake.source import sources
from lake.steps.logged import logged

log = logging.getLogger(__name__)

HeldBy = Callable[[Contract], Held]
"""Gives what the lake holds of a table, under the contract as it is read."""


@logged
def extract(run: Run, source: str) -> dict[str, int]:
    """Land the tables of a source; how many there are, how many of them were not read, and how many rows were.

    A table whose shape has changed in a way that a person must settle is held back at its last state, and so are all
    tables of a source that is away and not required.

    Raises:
        ContractError: contracts do not fit a source that no run has read yet.
        SourceError: the source is away, refuses us or holds a value that the contract's type cannot, and it is required
            or no run has read it yet.
    """
    origin = sources.named(source)
    last = _last(run, source)
    contracts = {name: contract for name, contract in run.contracts().items() if contract.source == source}
    marks = parity_marks.read(contracts.values())
    rows = partial(HeldRows, run.branch)
    requests = [
        request(contract, last.get(name), rows, marks.get(name), is_full=run.asked == "full")
        if run.asks_for(contract)
        else Request(contract, last=last.get(name), is_asked=False)
        for name, contract in contracts.items()
    ]
    try:
        manifests = extract_tables(origin, requests, run.run_id)
    except SourceError as error:
        if origin.is_required or not last:
            raise
        log.error("source %s is held back: %s", source, error)
        manifests = _held_back(run, source, contracts, last, f"source {source}: {error.what}")
    return {
        "tables": len(manifests),
        "not_read": sum(one.is_held for one in manifests),
        "rows": sum(one.rows for one in manifests),
    }


def request(
    contract: Contract, last: Manifest | None, rows: HeldBy, mark: Mark | None = None, is_full: bool = False
) -> Request:
    """What to read of a table: what changed since the last run, and what parity has marked."""
    if last is None or not last.state or is_full:
        return Request(contract, last=last)
    if mark and mark.keys is None:
        return Request(contract, last=last, whole=f"{mark.rows} rows had drifted, and are not mended one by one")
    return Request(contract, State.from_json(last.state), rows, last, mark.keys if mark else None)


def _last(run: Run, source: str) -> dict[str, Manifest]:
    """What the run before said of each table; nothing for a first run.

    That is the published run which the branch starts from, or a later one that found its lake to be the source's still.
    """
    published = last_published(run.base)
    return {entry.table: entry for entry in standing.manifests(source, published)} if published else {}


def _held_back(
    run: Run, source: str, contracts: Iterable[str], last: Mapping[str, Manifest], reason: str
) -> list[Manifest]:
    """Land that nothing of the source was read: its tables stay as they are."""
    snapshot = max((entry.snapshot for entry in last.values()), key=lambda found: found.instant)
    entries = [manifest.held_back(run.run_id, table, reason, snapshot, last.get(table)) for table in contracts]
    return manifest.commit(source, run.run_id, entries)
