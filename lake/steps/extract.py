"""Lands every table of one source as of one snapshot."""

from __future__ import annotations

from lake.changes.strategy import State
from lake.extract import manifest
from lake.extract.extract import Request
from lake.extract.extract import extract as extract_tables
from lake.layers.held import HeldRows
from lake.ledger import receipts
from lake.run import Run, last_published
from lake.source import sources


def extract(run: Run, source: str) -> dict[str, int]:
    """Land the tables of a source; how many there are, and how many rows were read of them.

    Raises:
        ContractError: a contract does not fit the source; nothing was read.
        SourceError: the source is away, refuses us or holds a value that the contract's type cannot.
    """
    states = _states(run, source) if run.asked == "auto" else {}
    requests = [
        Request(contract, states[table], HeldRows(run.branch, contract)) if table in states else Request(contract)
        for table, contract in run.contracts().items()
        if contract.source == source
    ]
    manifests = extract_tables(sources.named(source), requests, run.run_id)
    return {"tables": len(manifests), "rows": sum(one.rows for one in manifests)}


def _states(run: Run, source: str) -> dict[str, State]:
    """What the run before left for each table's increment; nothing for a first run.

    That is the published run which the branch starts from, or a later one that found its lake to be the source's still.
    """
    published = last_published(run.base)
    if published is None:
        return {}
    for before in (receipts.newest_unchanged_since(published), published):
        if before and manifest.is_committed(source, before):
            return {entry.table: State.from_json(entry.state) for entry in manifest.read_all(source, before)}
    return {}
