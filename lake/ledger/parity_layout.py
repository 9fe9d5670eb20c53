"""How a table is dealt into buckets for a sweep: the server and the lake must put each row into the same one.

Ranges of the key where its order is the same in both; else shares of its keys' checksums; else all rows are one bucket.
The bounds come from a sample of the keys that the lake holds, so that the source is not read for them. Whatever they
are, every key is in exactly one bucket: bad bounds cost time and never a finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lake.changes import buckets, by_key, ranges
from lake.changes.buckets import Bucket
from lake.changes.increment import Held
from lake.changes.ranges import Condition, Key, Range
from lake.contracts import Contract

EVERY = 500
"""A key of so many is in the sample: some ten of the smallest bucket."""


@dataclass(frozen=True)
class Layout:
    """The buckets of one table.

    Attributes:
        bounds: first keys of all ranges but the first; none for one bucket of all rows.
        shares: of how many equal shares of the keys' checksums the buckets are; 0 for ranges.
    """

    contract: Contract
    bounds: list[Key] = field(default_factory=list)
    shares: int = 0

    @property
    def number(self) -> int:
        """How many buckets there are."""
        return self.shares or len(self.bounds) + 1

    @cached_property
    def ranges(self) -> list[Range]:
        """The range of each bucket; one that is open at both ends for those that are none."""
        if self.shares:
            return [Range()] * self.shares
        return [Range(lower, upper) for lower, upper in pairwise([None, *self.bounds, None])]

    def condition(self, places: Sequence[int]) -> Condition:
        """The rows of some buckets, in SQL."""
        if self.shares:
            return buckets.hash_condition(self.contract, self.shares, places)
        return ranges.any_of([self.ranges[place].condition(self.contract) for place in places])

    def places(self, rows: pa.Table | pa.RecordBatch) -> np.ndarray:
        """The bucket of each row."""
        if self.shares:
            return as_array(buckets.hash_buckets(rows, self.contract, self.shares))
        if not self.bounds:
            return as_array(np.zeros(rows.num_rows, np.int64))
        return _places([_comparable(rows[name]) for name in self.contract.key], self._columns)

    @cached_property
    def _columns(self) -> list[np.ndarray]:
        """The bounds by column."""
        schema = by_key.key_schema(self.contract)
        columns = zip(*self.bounds, strict=True)
        return [_comparable(pa.array(values, one.type)) for values, one in zip(columns, schema, strict=True)]


def lay_out(contract: Contract, held: Held) -> Layout:
    """Deal a table out by what the lake holds of it."""
    if not contract.key or buckets.why_not(contract):
        return Layout(contract)
    keys, rows = _sample(contract, held.rows([Range()], contract.key))
    size = buckets.size_of(rows)
    number = max(1, rows // size)
    if not ranges.has_order(contract):
        return Layout(contract, shares=number)
    ordered = keys.take(pc.sort_indices(keys, sort_keys=[(name, "ascending") for name in contract.key]))
    picked = ordered.take(pa.array([keys.num_rows * place // number for place in range(1, number)], pa.int64()))
    return Layout(contract, _distinct([tuple(row.values()) for row in picked.to_pylist()]))


def split(contract: Contract, whole: Range, keys: pa.Table, number: int) -> list[Range]:
    """A range cut into at most so many, with about as many of the keys in each.

    Args:
        keys: the keys that the lake holds of the range, in their order.
    """
    steps = [keys.num_rows * place // number for place in range(1, number)] if keys.num_rows >= number else []
    bounds = [tuple(row.values()) for row in keys.take(pa.array(steps, pa.int64())).to_pylist()]
    edges = [whole.lower, *(bound for bound in _distinct(bounds) if bound != whole.lower), whole.upper]
    return [Range(lower, upper) for lower, upper in pairwise(edges)]


def totals(places: np.ndarray, hashes: pa.ChunkedArray, number: int) -> list[Bucket]:
    """Counts and sums of hashes by bucket, exactly: a sum of many hashes has more than 64 bits."""
    whole = hashes.to_numpy()
    table = pa.table({"place": places, "low": whole & np.uint64(2**32 - 1), "high": whole >> np.uint64(32)})
    summed = table.group_by("place").aggregate([("place", "count"), ("low", "sum"), ("high", "sum")])
    found = [Bucket(0, (0,))] * number
    for row in summed.to_pylist():
        found[row["place"]] = Bucket(row["place_count"], ((row["high_sum"] << 32) + row["low_sum"],))
    return found


def _sample(contract: Contract, batches: Iterable[pa.RecordBatch]) -> tuple[pa.Table, int]:
    """A key of every so many, and how many there are."""
    seen = 0
    picked = []
    for batch in batches:
        picked.append(batch.take(pa.array(range(-seen % EVERY, batch.num_rows, EVERY), pa.int64())))
        seen += batch.num_rows
    return pa.Table.from_batches(picked, by_key.key_schema(contract)), seen


def positions(ordered: np.ndarray, values: np.ndarray | list[int], side: Literal["left", "right"]) -> np.ndarray:
    """How many of the ordered values are less (`left`) than each of the others, or at most as great (`right`)."""
    return as_array(np.searchsorted(ordered, values, side))


def as_array(values: Any) -> np.ndarray:
    """Values as NumPy has them."""
    found: np.ndarray = np.asarray(values)
    return found


def _distinct(bounds: Sequence[Key]) -> list[Key]:
    """Bounds in their order, each once."""
    return list(dict.fromkeys(bounds))


def _places(rows: Sequence[np.ndarray], bounds: Sequence[np.ndarray]) -> np.ndarray:
    """How many of the bounds are at most each row, compared column by column."""
    high = positions(bounds[0], rows[0], "right")
    if len(rows) == 1:
        return high
    low = positions(bounds[0], rows[0], "left")
    # Rows whose first value is a bound's too are told apart by the columns behind it.
    for place in np.unique(low[low < high]):
        chosen = np.flatnonzero((low == place) & (low < high))
        end = high[chosen[0]]
        later = _places([column[chosen] for column in rows[1:]], [column[place:end] for column in bounds[1:]])
        low[chosen] = place + later
    return low


def _comparable(column: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Values that NumPy orders as the server does."""
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return as_array(column.cast(pa.int64() if pa.types.is_timestamp(kind) else pa.int32()))
    if pa.types.is_integer(kind):
        return as_array(column)
    found: np.ndarray = np.empty(len(column), object)
    found[:] = column.to_pylist()
    return found
