"""Leave out what was read before: an increment reaches back behind its watermark, and finds known rows there.

The reach makes a commit harmless that comes later than the cursor it carries. Without this filter every run would read
the newest minute of every table again, and no table would ever count as unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

_NULL = pa.scalar(b"N", pa.large_binary())


def signatures(rows: pa.RecordBatch | pa.Table) -> pa.Array | pa.ChunkedArray:
    """Bytes for each row that two rows share only if all their values are the same. NULL is the same as NULL.

    Each value has its length in front, so that none can pass for a part of its neighbour; NULL has no length.
    """
    nothing = pa.scalar(b"", pa.large_binary())
    return pc.binary_join_element_wise(*(pc.fill_null(_counted(column), _NULL) for column in rows.columns), nothing)


def _counted(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    if not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        column = pc.cast(column, pa.string())
    value = pc.cast(column, pa.large_binary())
    length = pc.cast(pc.cast(pc.binary_length(value), pa.string()), pa.large_binary())
    return pc.binary_join_element_wise(length, value, pa.scalar(b":", pa.large_binary()))


def unknown(batches: Iterable[pa.RecordBatch], known: pa.Table) -> Iterator[pa.RecordBatch]:
    """The rows that are not among the known ones, value for value.

    Args:
        known: rows with the same columns as the batches, of the time that the increment reaches back; held in memory.
    """
    if not known.num_rows:
        yield from batches
        return
    held = pc.unique(signatures(known))
    for batch in batches:
        fresh = batch.filter(pc.invert(pc.is_in(signatures(batch), value_set=held)))
        if fresh.num_rows:
            yield fresh


def followed(
    first: Iterable[pa.RecordBatch], then: Iterable[pa.RecordBatch], key: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """The first rows, and then those whose keys were not among them. The first ones' keys are held in memory."""
    seen: list[pa.Array] = []
    for batch in first:
        seen.append(signatures(batch.select(list(key))))
        yield batch
    landed = pa.concat_arrays(seen) if seen else pa.array([], pa.large_binary())
    for batch in then:
        fresh = batch.filter(pc.invert(pc.is_in(signatures(batch.select(list(key))), value_set=landed)))
        if fresh.num_rows:
            yield fresh
