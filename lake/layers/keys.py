"""Keys of rows that lie in memory, and the rows that have them."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

Key = tuple[Any, ...]


def keys_of(rows: pa.Table, key: Sequence[str]) -> list[Key]:
    """The key of each row.

    Args:
        key: names of its columns.
    """
    return list(zip(*(rows.column(name).to_pylist() for name in key), strict=True))


def without(rows: pa.Table, key: Sequence[str], keys: Set[Key]) -> pa.Table:
    """The rows that have none of some keys."""
    return rows.filter(pa.array([one not in keys for one in keys_of(rows, key)], pa.bool_()))


def orphans(pointers: pa.ChunkedArray, existing: pa.Array) -> Any:
    """For each value, whether it points at a key that does not exist; NULL points at nothing."""
    return pc.and_(pc.is_valid(pointers), pc.invert(pc.is_in(pointers, value_set=existing)))


def places(mask: Any) -> list[int]:
    """Where a mask is true."""
    whole = mask.combine_chunks() if isinstance(mask, pa.ChunkedArray) else mask
    found: list[int] = pc.indices_nonzero(whole).to_pylist()
    return found
