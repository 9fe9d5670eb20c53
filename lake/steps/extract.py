"""Lands every table of one source as of one snapshot."""

from __future__ import annotations

from lake.changes.strategy import State
from lake.contracts import Contract
from lake.extract import manifest
from lake.extract.extract import Request
from lake.extract.extract import extract as extract_tables
from lake.layers.held import HeldRows
from lake.ledger import parity_marks
from lake.ledger.parity_marks import Mark
from lake.run import Run, last_published
from lake.source import sources


def extract(run: Run, source: str) -> dict[str, int]:
    """Land the tables of a source; how many there are, and how many rows were read of them.

    Raises:
        ContractError: a contract does not fit the source; nothing was read.
        SourceError: the source is away, refuses us or holds a value that the contract's type cannot.
    """
    states = _states(run, source) if run.asked == "auto" else {}
    contracts = [contract for contract in run.contracts().values() if contract.source == source]
    marks = parity_marks.read(contracts)
    requests = [
        request(contract, states.get(contract.table), HeldRows(run.branch, contract), marks.get(contract.table))
        for contract in contracts
    ]
    manifests = extract_tables(sources.named(source), requests, run.run_id)
    return {"tables": len(manifests), "rows": sum(one.rows for one in manifests)}


def request(contract: Contract, state: State | None, held: HeldRows, mark: Mark | None) -> Request:
    """What to read of a table: what changed since its state, and what parity has marked."""
    if state is None:
        return Request(contract)
    if mark and mark.keys is None:
        return Request(contract, whole=f"{mark.rows} rows had drifted, and are not mended one by one")
    return Request(contract, state, held, mark.keys if mark else None)


def _states(run: Run, source: str) -> dict[str, State]:
    """What the run before, which the branch starts from, left for each table's increment; nothing for a first run."""
    before = last_published(run.base)
    if before is None or not manifest.is_committed(source, before):
        return {}
    return {entry.table: State.from_json(entry.state) for entry in manifest.read_all(source, before)}
