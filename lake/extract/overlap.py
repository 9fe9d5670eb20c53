"""Leave out what was read before: an increment reaches back behind its watermark, and finds known rows there.

The reach makes a commit harmless that comes later than the cursor it carries. Without this filter every run would read
the newest minute of every table again, and no table would ever count as unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

_NULL, _SEPARATOR = "\x00null", "\x01"


def signatures(rows: pa.RecordBatch | pa.Table) -> pa.Array | pa.ChunkedArray:
    """One string a row that two rows share only if all their values are equal. NULL equals NULL."""
    texts = [pc.fill_null(_text(column), _NULL) for column in rows.columns]
    return pc.binary_join_element_wise(*texts, _SEPARATOR)


def _text(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    if pa.types.is_binary(column.type):
        return pc.cast(pa.array([value and value.hex() for value in column.to_pylist()]), pa.string())
    return pc.cast(column, pa.string())


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
