"""From buckets that differ to the rows: ranges are cut and summed again until little is left, and that is listed.

What is listed of the source is keys and hashes, which the server computes. A row that differs there is read once more
as a run reads it: only what still differs then is drift, for a sum does not know what becomes of text that is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import mysql_arrow
import pyarrow as pa
import pyarrow.compute as pc
from pymysql.connections import Connection

from lake.changes import buckets, by_key, compare, hashes, ranges
from lake.changes.buckets import Bucket
from lake.changes.ranges import Condition, Key, Range
from lake.contracts import Contract
from lake.ledger import parity_lake, parity_layout
from lake.ledger.parity_lake import HASH, CaughtUp
from lake.ledger.parity_layout import Layout
from lake.source import reader
from lake.source.quoting import quote

LISTED = 2_000
"""Rows of a range that are listed rather than cut and summed once more."""

CUTS = 16
"""Parts into which a range is cut, at most."""

AT_ONCE = 1_000_000
"""Rows of the lake that are in memory by key and hash."""


@dataclass(frozen=True)
class Drift:
    """Rows in which source and lake differ, each a table of keys.

    Attributes:
        changed: both have the row, with other values.
        missing: the source has it, and the lake has not.
        surplus: the lake has it, and the source has not.
        doubled: the lake has it more than once.
        unnamed: how many more there are, which no key names.
    """

    changed: pa.Table
    missing: pa.Table
    surplus: pa.Table
    doubled: pa.Table
    unnamed: int = 0

    @property
    def kinds(self) -> dict[str, pa.Table]:
        """The keys by the names of what is wrong with them."""
        return {"changed": self.changed, "missing": self.missing, "surplus": self.surplus, "doubled": self.doubled}

    @property
    def rows(self) -> int:
        """How many they are."""
        return sum(int(keys.num_rows) for keys in self.kinds.values()) + self.unnamed

    @property
    def keys(self) -> pa.Table:
        """All of their keys."""
        return pa.concat_tables(self.kinds.values())


@dataclass
class _Kinds:
    changed: list[pa.Table] = field(default_factory=list)
    missing: list[pa.Table] = field(default_factory=list)
    surplus: list[pa.Table] = field(default_factory=list)
    doubled: list[pa.Table] = field(default_factory=list)


def none(contract: Contract, unnamed: int = 0) -> Drift:
    """No row, or some without a name."""
    nothing = by_key.key_schema(contract).empty_table()
    return Drift(nothing, nothing, nothing, nothing, unnamed)


Sums = Callable[[Sequence[Range]], list[Bucket]]
"""Counts and sums of ranges in the source."""


def find(
    connection: Connection[Any],
    sums: Sums,
    caught_up: CaughtUp,
    layout: Layout,
    places: Sequence[int],
    weights: Sequence[int],
) -> Drift:
    """The rows of buckets that differ.

    Args:
        connection: with the snapshot open.
        sums: over all connections that show it.
        places: the buckets.
        weights: rows of each bucket of the table.

    Raises:
        OSError, pa.ArrowException: a file of the lake cannot be read.
    """
    contract = caught_up.contract
    if not contract.key:
        return none(contract, _unkeyed(connection, caught_up))
    kinds = _Kinds()
    for portion in compare.portions(places, weights, AT_ONCE):
        lake = _held(caught_up, layout, portion)
        conditions = [layout.condition(portion)]
        if layout.bounds:
            left = _narrowed(sums, contract, [layout.ranges[place] for place in portion], lake)
            lake = pa.concat_tables([_nothing(contract), *_dealt(contract, left, lake)])
            some = (left[start : start + buckets.PER_STATEMENT] for start in range(0, len(left), buckets.PER_STATEMENT))
            conditions = [ranges.any_of([one.condition(contract) for one in listed]) for listed in some]
        source = [rows for condition in conditions for rows in _listed(connection, contract, condition)]
        _sort_out(connection, contract, pa.concat_tables([_nothing(contract), *source]), lake, kinds)
    nothing = none(contract).changed
    each = (kinds.changed, kinds.missing, kinds.surplus, kinds.doubled)
    return Drift(*(pa.concat_tables([nothing, *found]) for found in each))


def _unkeyed(connection: Connection[Any], caught_up: CaughtUp) -> int:
    """How many rows of a table without a key differ: the more of those that only one side has."""
    contract = caught_up.contract
    sides = [
        Counter(value for rows in tables for value in rows[HASH].to_pylist())
        for tables in (parity_lake.read_rows(connection, contract, ""), caught_up.rows([Range()]))
    ]
    return max((sides[0] - sides[1]).total(), (sides[1] - sides[0]).total())


def _held(caught_up: CaughtUp, layout: Layout, places: Sequence[int]) -> pa.Table:
    """Keys and hashes of what the lake has in the buckets, in the order of the keys where they have one."""
    found = [_nothing(caught_up.contract)]
    for rows in caught_up.rows([layout.ranges[place] for place in places]):
        mine = pc.is_in(pa.array(layout.places(rows)), value_set=pa.array(places, pa.int64()))
        found.append(rows.filter(mine))
    lake = pa.concat_tables(found)
    if not layout.bounds:
        return lake
    return lake.take(pc.sort_indices(lake, sort_keys=[(name, "ascending") for name in caught_up.contract.key]))


def _narrowed(sums: Sums, contract: Contract, wholes: Sequence[Range], lake: pa.Table) -> list[Range]:
    """The parts of ranges in which rows differ, in their order. Of those that few rows differ in, little more than
    `LISTED` rows are left; where rows differ in most of them, neighbours are one.

    Args:
        lake: keys and hashes in the order of the keys.
    """
    left: list[Range] = []
    large = list(wholes)
    while large:
        finer = [part for whole, rows in zip(large, _dealt(contract, large, lake), strict=True)
                 for part in _cut(contract, whole, rows)]  # fmt: skip
        found = sums(finer)
        differing = [
            (part, max(rows.num_rows, theirs.count))
            for part, rows, theirs in zip(finer, _dealt(contract, finer, lake), found, strict=True)
            if _total(rows) != theirs
        ]
        # Where most parts differ, cutting them again would only read them once more.
        is_spread = 2 * len(differing) > len(finer)
        left += [part for part, rows in differing if rows <= LISTED or is_spread]
        large = [] if is_spread else [part for part, rows in differing if rows > LISTED]
    return compare.joined(sorted(left, key=lambda part: (part.lower is not None, part.lower)))


def _cut(contract: Contract, whole: Range, rows: pa.Table) -> list[Range]:
    number = min(CUTS, rows.num_rows // (LISTED // 2) + 1)
    return parity_layout.split(contract, whole, rows.select(list(contract.key)), number)


def _dealt(contract: Contract, parts: Sequence[Range], lake: pa.Table) -> list[pa.Table]:
    """The rows of each of some ranges, which are in their order and do not overlap."""
    bounds: list[Key] = []
    at = []
    for part in parts:
        if part.lower is not None and (not bounds or bounds[-1] != part.lower):
            bounds.append(part.lower)
        at.append(len(bounds))
        if part.upper is not None:
            bounds.append(part.upper)
    places = Layout(contract, bounds).places(lake)
    starts, ends = parity_layout.positions(places, at, "left"), parity_layout.positions(places, at, "right")
    return [lake.slice(start, end - start) for start, end in zip(starts, ends, strict=True)]


def _total(rows: pa.Table) -> Bucket:
    return Bucket(rows.num_rows, (sum(rows[HASH].to_pylist()),))


def _listed(connection: Connection[Any], contract: Contract, condition: Condition) -> Iterator[pa.Table]:
    """Keys and hashes that the server gives. A row that it cannot hash has NULL."""
    names = list(contract.key)
    columns = ", ".join(f"{quote(contract.column_in_source(name))} AS {quote(name)}" for name in names)
    statement = (
        f"SELECT {columns}, {hashes.one_in_source(contract)} AS {HASH} FROM {quote(contract.name_in_source)}"
        + (f" WHERE {text}" if (text := ranges.rendered(connection, condition)) else "")
    )
    schema = _nothing(contract).schema
    with reader.refusals(contract.table):
        for batch in mysql_arrow.query(connection, statement, (), schema=schema, columns={HASH: "null"}):
            yield pa.Table.from_batches([pa.record_batch(batch)], schema)


def _sort_out(connection: Connection[Any], contract: Contract, source: pa.Table, lake: pa.Table, kinds: _Kinds) -> None:
    """Compare by key; what seems to differ is read as a run reads it, and compared once more."""
    keys = list(contract.key)
    kinds.missing.append(by_key.without(source.select(keys), lake.select(keys)))
    kinds.surplus.append(by_key.without(lake.select(keys), source.select(keys)))
    kinds.doubled.append(_doubled(lake.select(keys)))
    suspects = _differing(source, lake, keys)
    read = [_nothing(contract)]
    for condition in by_key.conditions(contract, suspects):
        read += parity_lake.read_rows(connection, contract, ranges.rendered(connection, condition))
    again = pa.concat_tables(read).join(suspects, keys, join_type="left semi")
    kinds.changed.append(_differing(again, lake, keys))


def _differing(source: pa.Table, lake: pa.Table, keys: list[str]) -> pa.Table:
    """Keys of both whose hashes differ, each once."""
    both = source.join(lake, keys, join_type="inner", right_suffix="_held")
    differs = pc.fill_null(pc.not_equal(both[HASH], both[f"{HASH}_held"]), True)
    return both.filter(differs).group_by(keys).aggregate([]).select(keys)


def _doubled(keys: pa.Table) -> pa.Table:
    """Keys that stand there twice."""
    counted = keys.group_by(keys.column_names).aggregate([([], "count_all")])
    return counted.filter(pc.greater(counted["count_all"], 1)).select(keys.column_names)


def _nothing(contract: Contract) -> pa.Table:
    return by_key.key_schema(contract).append(pa.field(HASH, pa.uint64())).empty_table()
