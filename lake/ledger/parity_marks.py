"""Rows that are known to have drifted, for the next run to read them again: an object a table, in the object store.

A mark stays until a sweep has proven its table equal. A run that reads marked rows once too often finds them as they
are, and changes nothing; so whoever dies between a mark and its run, or between the run and the next sweep, does no
harm, and two repairs at once do the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from lake.changes import by_key
from lake.contracts import Contract
from lake.ledger.parity import Finding
from lake.platform import storage

MOST_KEYS = 100_000
"""Of one table: beyond them it is read whole."""

_FOLDER = f"{storage.AUDIT}/parity/drifted"


@dataclass(frozen=True)
class Mark:
    """What of a table is to be read again.

    Attributes:
        keys: of the rows; None for all of the table.
        rows: how many had drifted.
    """

    table: str
    keys: pa.Table | None
    rows: int


def set_mark(finding: Finding, contract: Contract) -> Mark:
    """Mark what a sweep found of a table: its rows, or all of it where they have no names or cannot be merged."""
    drift = finding.drift
    is_whole = drift.unnamed or drift.doubled.num_rows or drift.rows > MOST_KEYS
    keys = None if is_whole else drift.keys
    document = {
        "key": list(contract.key),
        "instant": finding.instant.isoformat(),
        "rows": drift.rows,
        "keys": None if keys is None else by_key.to_json(keys),
    }
    storage.put(_uri(finding.table), json.dumps(document).encode(), "application/json")
    return Mark(finding.table, keys, drift.rows)


def read(contracts: Iterable[Contract]) -> dict[str, Mark]:
    """The marks of some tables, by table. A mark by another key than the contract has now is for the whole table."""
    marked = set(storage.list_keys(_FOLDER))
    found = {}
    for contract in contracts:
        if _uri(contract.table) in marked:
            document = json.loads(storage.get(_uri(contract.table)))
            is_whole = document["keys"] is None or document["key"] != list(contract.key)
            keys = None if is_whole else by_key.from_json(contract, document["keys"])
            found[contract.table] = Mark(contract.table, keys, document["rows"])
    return found


def forget(table: str) -> None:
    """Take a table's mark away; nothing happens if it has none."""
    storage.delete(_uri(table))


def _uri(table: str) -> str:
    return f"{_FOLDER}/{table}.json"
