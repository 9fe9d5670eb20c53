"""The counts of `lake.quality.counts` for tables of few values: their files are read into memory and counted there.

Trino makes code for each table and column of a statement, which takes it longer than all of a small table's rows. What
is counted is what the branch's catalog shows, read anew from the object store, whoever wrote it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc

from lake.contracts import Contract
from lake.contracts.rules import Rule
from lake.layers import raw
from lake.quality.counts import Contents, required, typed

FEW_VALUES = 1_000_000
"""Rows by columns of a table."""

AT_ONCE = 4


def contents(reference: str, contracts: list[Contract]) -> dict[str, Contents]:
    """What is in those cleaned tables that have few values, by their names; their keys too."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda contract: _contents(reference, contract), contracts)
        return {contract.table: one for contract, one in zip(contracts, found, strict=True) if one is not None}


def _contents(reference: str, contract: Contract) -> Contents | None:
    table = raw.find(reference, "cleaned", contract.table)
    snapshot = table.current_snapshot() if table else None
    if table is None or snapshot is None or snapshot.summary is None:
        return None
    if int(snapshot.summary["total-records"] or 0) * len(contract.columns) > FEW_VALUES:
        return None
    filled, labelled = required(contract), typed(contract)
    names = dict.fromkeys([*contract.key, *filled, *(rule.column for rule in labelled)])
    # Without a column there would be no rows to count.
    rows = table.scan(selected_fields=tuple(names) or (next(iter(contract.columns)),)).to_arrow()
    return Contents(
        rows.num_rows,
        {name: rows.num_rows - rows.column(name).null_count for name in filled},
        {rule.column: _strange(rows.column(rule.column), rule) for rule in labelled},
        rows.group_by(list(contract.key)).aggregate([]).num_rows if contract.key else None,
    )


def _strange(values: pa.ChunkedArray, rule: Rule) -> int:
    """How many values break a rule of `typed`."""
    among = pc.is_in(values, value_set=pa.array(rule.values, values.type))
    broken = pc.and_(pc.is_valid(values), pc.invert(among)) if rule.test == "not_among" else among
    return int(pc.sum(broken).as_py() or 0)
