"""Find what changed by comparing the source with what the lake holds, only where the sums of a bucket differ.

``keys`` finds rows that are new or gone; ``rows`` finds every change. Both read the source inside the snapshot and the
lake as of the last published run, some buckets at a time, so that memory does not grow with the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pymysql.connections import Connection

from lake.changes import buckets, by_key, ranges
from lake.changes.buckets import Bucket, Buckets, Content
from lake.changes.increment import Held, Piece
from lake.changes.ranges import Condition, Range
from lake.contracts import Contract

KEYS_AT_ONCE, ROWS_AT_ONCE = 1_000_000, 250_000


@dataclass(frozen=True)
class Difference:
    """What differs between source and lake.

    Attributes:
        pieces: rows to be read.
        deleted: keys that the lake has and the source has no more.
        now: sums of the open snapshot.
        differing: buckets that were read.
    """

    pieces: list[Piece]
    deleted: pa.Table
    now: Buckets
    differing: int


@dataclass(frozen=True)
class _Portion:
    """Buckets that are compared at once: what finds their rows in the source and in the lake."""

    condition: Condition
    ranges: list[Range]
    number: int
    places: frozenset[int]


def keys(
    connection: Connection[Any], contract: Contract, before: Buckets | None, held: Held, seen: Condition = ("", ())
) -> Difference:
    """Rows whose key is new, and keys that are gone.

    Args:
        before: sums that the last published run left; without them all keys are compared.
        seen: rows that are read anyway, such as those whose cursor moved; new ones among them get no piece.
    """
    now, portions = _look(connection, contract, "keys", before)
    pieces: list[Piece] = []
    deleted = [by_key.key_schema(contract).empty_table()]
    read = []
    for portion in portions:
        source = by_key.read_keys(connection, contract, portion.condition)
        lake = _held(contract, held, portion, contract.key)
        deleted.append(by_key.without(lake, source))
        new = by_key.without(source, lake)
        if new.num_rows and seen[0]:
            column_is_old = f"COALESCE(NOT ({seen[0]}), TRUE)"
            text = f"({portion.condition[0]}) AND {column_is_old}" if portion.condition[0] else column_is_old
            unseen = by_key.read_keys(connection, contract, (text, (*portion.condition[1], *seen[1])))
            new = by_key.same(new, unseen)
        pieces += by_key.pieces(connection, contract, new)
        read.append(source)
    now = _grown(connection, contract, "keys", now, read)
    return Difference(pieces, pa.concat_tables(deleted), now, sum(len(portion.places) for portion in portions))


def rows(connection: Connection[Any], contract: Contract, before: Buckets, held: Held) -> Difference:
    """Every change: rows that are not in the lake value for value, and keys that are gone.

    Args:
        before: sums that the last published run left.
    """
    now, portions = _look(connection, contract, "rows", before)
    pieces: list[Piece] = []
    deleted = [by_key.key_schema(contract).empty_table()]
    read = []
    for portion in portions:
        source = by_key.read_keys(connection, contract, portion.condition)
        deleted.append(by_key.without(_held(contract, held, portion, contract.key), source))
        known = partial(_held, contract, held, portion, contract.read_schema.names)
        pieces.append(Piece(ranges.rendered(connection, portion.condition), known))
        read.append(source)
    now = _grown(connection, contract, "rows", now, read)
    return Difference(pieces, pa.concat_tables(deleted), now, sum(len(portion.places) for portion in portions))


def _look(
    connection: Connection[Any], contract: Contract, content: Content, before: Buckets | None
) -> tuple[Buckets, list[_Portion]]:
    """Sums of the snapshot, and what is to be read because they differ."""
    if before is None or not before.fits(contract, content):
        now = buckets.first(connection, contract, content)
        differing = list(range(len(now.buckets)))
        weights = [bucket.count for bucket in now.buckets]
    else:
        now = buckets.now(connection, contract, content, before)
        pairs = list(zip(before.buckets, now.buckets, strict=True))
        differing = [place for place, (then, today) in enumerate(pairs) if then != today]
        weights = [max(then.count, today.count) for then, today in pairs]
    limit = KEYS_AT_ONCE if content == "keys" else ROWS_AT_ONCE
    all_ranges = now.ranges(contract) if now.bounds is not None else []
    found = []
    for places in portions(differing, weights, limit):
        if now.bounds is None:
            condition = buckets.hash_condition(contract, len(now.buckets), places)
            chosen = [Range()]
        else:
            chosen = joined([all_ranges[place] for place in places])
            condition = ranges.any_of([one.condition(contract) for one in chosen])
        found.append(_Portion(condition, chosen, len(now.buckets) if now.bounds is None else 0, frozenset(places)))
    return now, found


def portions(places: Sequence[int], weights: Sequence[int], limit: int) -> Iterator[list[int]]:
    """The places in their order, in lists of at most `limit` rows unless a single one has more."""
    portion: list[int] = []
    rows = 0
    for place in places:
        if portion and rows + weights[place] > limit:
            yield portion
            portion, rows = [], 0
        portion.append(place)
        rows += weights[place]
    if portion:
        yield portion


def joined(portions: Sequence[Range]) -> list[Range]:
    """Neighbours as one range."""
    found: list[Range] = []
    for one in portions:
        if found and found[-1].upper is not None and found[-1].upper == one.lower:
            found[-1] = Range(found[-1].lower, one.upper)
        else:
            found.append(one)
    return found


def _held(contract: Contract, held: Held, portion: _Portion, columns: Sequence[str]) -> pa.Table:
    """What the lake holds in the portion's buckets, and nothing else."""
    schema = pa.schema([contract.read_schema.field(name) for name in columns])
    found = []
    for batch in held.rows(portion.ranges, columns):
        some = pa.Table.from_batches([batch]).select(list(columns)).cast(schema)
        if portion.number:
            mine = buckets.hash_buckets(some, contract, portion.number)
            found.append(some.filter(pc.is_in(mine, value_set=pa.array(sorted(portion.places), pa.int64()))))
        else:
            found.append(ranges.within(some, portion.ranges, contract.key))
    return pa.concat_tables(found) if found else schema.empty_table()


def _grown(
    connection: Connection[Any], contract: Contract, content: Content, now: Buckets, read: Sequence[pa.Table]
) -> Buckets:
    """Split buckets that have become too large, by the keys that were read, and join those that have become small."""
    size = max(now.size, buckets.size_of(now.rows))
    if now.bounds is None:
        crowded = now.rows > 4 * size * len(now.buckets)
        return buckets.by_hash(connection, contract, content, size, now.rows // size) if crowded else now
    large = [place for place, bucket in enumerate(now.buckets) if bucket.count > 2 * size]
    laid_out: list[tuple[Range, Bucket]] = list(zip(now.ranges(contract), now.buckets, strict=True))
    for place in reversed(large):
        finer = _split(laid_out[place][0], contract, read, size)
        laid_out[place : place + 1] = zip(finer, buckets.of_ranges(connection, contract, content, finer), strict=True)
    together: list[tuple[Range, Bucket]] = []
    for one, bucket in laid_out:
        if together and together[-1][1].count + bucket.count <= size // 2:
            together[-1] = (Range(together[-1][0].lower, one.upper), together[-1][1] + bucket)
        else:
            together.append((one, bucket))
    bounds = [ranges.to_json(one.lower) for one, _ in together if one.lower is not None]
    return replace(now, size=size, bounds=bounds, buckets=[bucket for _, bucket in together])


def _split(whole: Range, contract: Contract, read: Sequence[pa.Table], size: int) -> list[Range]:
    """The range cut at every `size`-th of its keys; as it is if its keys were not read."""
    key = list(contract.key)
    inside = pa.concat_tables([ranges.within(table, [whole], key) for table in read]) if read else None
    if inside is None or not inside.num_rows:
        return [whole]
    ordered = inside.take(pc.sort_indices(inside, sort_keys=[(name, "ascending") for name in key]))
    bounds = ordered.take(pa.array(range(size, ordered.num_rows - size // 2, size), pa.int64())).to_pylist()
    edges = [whole.lower, *(tuple(row.values()) for row in bounds), whole.upper]
    return [Range(lower, upper) for lower, upper in pairwise(edges)]
