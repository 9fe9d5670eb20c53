"""What every peer's script does around its own read: places, errors, types. Runs in the peer's environment.

    python PEER.py FOLDER TABLE...

reads each table of the source that ``EXTRACT_SOURCE`` names and leaves it as ``FOLDER/TABLE.parquet`` (a file or a
folder of files). Where a read fails and more than one table was asked for, ``FOLDER/TABLE.error`` holds why. The exact
types of a table lie in ``FOLDER/TABLE.schema``, for those peers that must be told.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

ROWS_PER_BATCH = 65_536


def main(read: Callable[[str, str, Path], None]) -> None:
    """Call ``read(url, table, target)`` for each table asked for."""
    folder, tables = Path(sys.argv[1]), sys.argv[2:]
    for table in tables:
        try:
            read(os.environ["EXTRACT_SOURCE"], table, folder / f"{table}.parquet")
        except BaseException as error:  # a panic in Rust is no Exception
            if len(tables) == 1:
                raise
            (folder / f"{table}.error").write_text(f"{type(error).__name__}: {error}")


def exact_schema(target: Path) -> pa.Schema:
    """The types that the table's columns should have."""
    return pa.ipc.read_schema(pa.py_buffer(target.with_suffix(".schema").read_bytes()))


def write(target: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    """Batches as one Parquet file, zstd at its first level, as ours is."""
    with pq.ParquetWriter(target, schema, compression="zstd", compression_level=1) as writer:
        for batch in batches:
            writer.write_batch(batch)


def from_text(array: pa.Array, target: pa.DataType) -> pa.Array:
    """A column of texts, as the server prints them, in its exact type.

    Raises:
        pyarrow.ArrowInvalid: Arrow cannot read a text, or has no such conversion.
    """
    if pa.types.is_timestamp(target) and target.tz:
        return array.cast(pa.timestamp(target.unit)).cast(target)
    return array.cast(target)
