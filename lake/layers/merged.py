"""Works out in memory what an increment makes of a small table.

The rules are those of `spark_jobs.cleaned` and `spark_jobs.candidates`, which do the same to large tables: what changed
replaces what was held, a row that is as it was keeps the marks of the run that brought it, and every row that waits in
quarantine, or has lost its parent, is judged again.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lake.contracts import RUN_ID, Contract
from lake.layers.judged import Judged, judge

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Increment:
    """What there is to be merged; all tables have the contract's columns and the marks, all but ``held`` also the
    reader's problems.

    Attributes:
        read: rows that the run has read.
        gone: keys that are gone from the source.
        held: rows of ``cleaned``.
        waiting: rows of ``quarantine``.
        lost: for each referencing column of which the parent may have lost rows, the keys that exist.
    """

    contract: Contract
    run_id: str
    read: pa.Table
    gone: pa.Table
    held: pa.Table
    waiting: pa.Table
    lost: Mapping[str, pa.Array]


@dataclass(frozen=True)
class Merged:
    """What came out.

    Attributes:
        judged: the rows that were judged.
        cleaned: all rows of ``cleaned``, or None where it stays as it is.
    """

    judged: Judged
    cleaned: pa.Table | None


def merge(increment: Increment, keys: Mapping[str, pa.Array]) -> Merged:
    """Merge an increment.

    Args:
        keys: for each referencing column, the keys that exist.
    """
    judged = judge(_candidates(increment), increment.contract, keys)
    held = {key: place for place, key in enumerate(_keys(increment.held, increment.contract))}
    changed = judged.valid.filter(_is_changed(judged.valid, increment, held))
    outdated = {
        key
        for rows in (changed, judged.refused, increment.gone)
        for key in _keys(rows, increment.contract)
        if key in held
    }
    if not changed.num_rows and not outdated:
        return Merged(judged, None)
    kept = _without(increment.held, increment.contract, outdated)
    # Of a column that the contract has lost the lake still has the values, and new rows have none.
    return Merged(judged, pa.concat_tables([kept, changed], promote_options="default"))


def _candidates(increment: Increment) -> pa.Table:
    """New rows, those that wait in quarantine, and those whose parent has gone; each key once."""
    read, contract = increment.read, increment.contract
    found = [read]
    taken = {*_keys(read, contract), *_keys(increment.gone, contract)}
    for older in (increment.waiting, _orphaned(increment)):
        again = _without(older, contract, taken)
        taken |= {*_keys(again, contract)}
        # Judged by this run, as if it had read them.
        place = again.schema.get_field_index(RUN_ID)
        marked = again.set_column(place, RUN_ID, pa.array([increment.run_id] * again.num_rows, pa.string()))
        found.append(as_schema(marked, read.schema))
    return pa.concat_tables(found)


def as_schema(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns of a schema, NULL where the rows have no such column."""
    columns = [
        rows.column(field.name).cast(field.type) if field.name in rows.column_names else pa.nulls(len(rows), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _orphaned(increment: Increment) -> pa.Table:
    """Rows of ``cleaned`` that point at a parent that is not there."""
    places: set[int] = set()
    for name, existing in increment.lost.items():
        value = increment.held.column(name)
        orphan = pc.and_(pc.is_valid(value), pc.invert(pc.is_in(value, value_set=existing)))
        places |= {place for place, is_one in enumerate(orphan.to_pylist()) if is_one}
    return increment.held.take(pa.array(sorted(places), pa.int64()))


def _keys(rows: pa.Table, contract: Contract) -> list[Key]:
    return list(zip(*(rows.column(name).to_pylist() for name in contract.key), strict=True))


def _without(rows: pa.Table, contract: Contract, keys: Set[Key]) -> pa.Table:
    """The rows that have none of some keys."""
    return rows.filter(pa.array([key not in keys for key in _keys(rows, contract)], pa.bool_()))


def _is_changed(rows: pa.Table, increment: Increment, held: Mapping[Key, int]) -> pa.Array:
    """For each row, whether it is not held as it is."""
    places = pa.array([held.get(key) for key in _keys(rows, increment.contract)], pa.int64())
    before = increment.held.take(places)
    changed = pc.is_null(places)
    for name in increment.contract.columns:
        changed = pc.or_(changed, pc.invert(_equal(rows.column(name), before.column(name))))
    return changed.combine_chunks() if isinstance(changed, pa.ChunkedArray) else changed


def _equal(ones: pa.ChunkedArray, others: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whether values are the same; NULL is the same as NULL.

    A floating number goes by its bits, for Arrow holds -0.0 to be equal to 0.0, and the source does not.
    """
    if pa.types.is_floating(ones.type):
        bits = {pa.float32(): pa.int32(), pa.float64(): pa.int64()}[ones.type]
        ones, others = (values.combine_chunks().view(bits) for values in (ones, others))
    both_missing = pc.and_(pc.is_null(ones), pc.is_null(others))
    return pc.or_(pc.fill_null(pc.equal(ones, others), False), both_missing)
