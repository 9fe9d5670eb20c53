"""Works out in memory what an increment makes of a small table.

The rules are those of `spark_jobs.cleaned` and `spark_jobs.candidates`, which do the same to large tables: what changed
replaces what was held, a row that is as it was keeps the marks of the run that brought it, and every row that waits in
quarantine, or has lost its parent, is judged again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lake.contracts import RUN_ID, Contract
from lake.layers.judged import Judged, judge
from lake.layers.keys import Key, keys_of, orphans, places, without


@dataclass(frozen=True)
class Increment:
    """What there is to be merged; all tables have the contract's columns and the marks, all but ``held`` also the
    reader's problems.

    Attributes:
        read: rows that the run has read.
        gone: keys that are gone from the source.
        held: rows of ``cleaned``: at least those with a key of the other tables, and those that point at a parent that
            is lost.
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
        changed: those of them that ``cleaned`` gets.
        outdated: keys of rows of ``cleaned`` that go.
    """

    judged: Judged
    changed: pa.Table
    outdated: frozenset[Key]


def merge(increment: Increment, keys: Mapping[str, pa.Array]) -> Merged:
    """Merge an increment.

    Args:
        keys: for each referencing column, the keys that exist.
    """
    judged = judge(_candidates(increment), increment.contract, keys)
    held = {key: place for place, key in enumerate(keys_of(increment.held, increment.contract.key))}
    changed = judged.valid.filter(_is_changed(judged.valid, increment, held))
    replaced = (changed, judged.refused, increment.gone)
    outdated = {key for rows in replaced for key in keys_of(rows, increment.contract.key) if key in held}
    return Merged(judged, changed, frozenset(outdated))


def _candidates(increment: Increment) -> pa.Table:
    """New rows, those that wait in quarantine, and those whose parent has gone; each key once."""
    read, key = increment.read, increment.contract.key
    found = [read]
    taken = {*keys_of(read, key), *keys_of(increment.gone, key)}
    for older in (increment.waiting, _orphaned(increment)):
        again = without(older, key, taken)
        taken |= {*keys_of(again, key)}
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
    held = increment.held
    found = {place for name, keys in increment.lost.items() for place in places(orphans(held.column(name), keys))}
    return held.take(pa.array(sorted(found), pa.int64()))


def _is_changed(rows: pa.Table, increment: Increment, held: Mapping[Key, int]) -> pa.Array:
    """For each row, whether it is not held as it is."""
    place = pa.array([held.get(key) for key in keys_of(rows, increment.contract.key)], pa.int64())
    changed = pc.or_(pc.is_null(place), differ(rows, increment.held.take(place), [*increment.contract.columns]))
    return changed.combine_chunks() if isinstance(changed, pa.ChunkedArray) else changed


def differ(rows: pa.Table, others: pa.Table, names: Sequence[str]) -> Any:
    """For each row, whether it has another value in any of some columns than the other one at its place."""
    found: Any = pa.array([False] * rows.num_rows, pa.bool_())
    for name in names:
        found = pc.or_(found, pc.invert(_equal(rows.column(name), others.column(name))))
    return found


def _equal(ones: pa.ChunkedArray, others: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whether values are the same; NULL is the same as NULL.

    A floating number goes by its bits, for Arrow holds -0.0 to be equal to 0.0, and the source does not.
    """
    if pa.types.is_floating(ones.type):
        bits = {pa.float32(): pa.int32(), pa.float64(): pa.int64()}[ones.type]
        ones, others = (values.combine_chunks().view(bits) for values in (ones, others))
    both_missing = pc.and_(pc.is_null(ones), pc.is_null(others))
    return pc.or_(pc.fill_null(pc.equal(ones, others), False), both_missing)
