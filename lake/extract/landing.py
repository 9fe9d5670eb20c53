"""Parquet files in the landing zone: from the wire, or from batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import mysql_arrow
import pyarrow as pa
import pyarrow.parquet as pq

from lake import faultpoints
from lake.extract.manifest import Part
from lake.platform import storage

ROWS_PER_GROUP = 262_144
ROW_GROUP_BYTES = 16 << 20
"""Of encoded rows. The store's client holds parts of an upload besides, and all together stay below 200 MB."""


def write_stream(uri: str, target: pa.Schema, marks: dict[str, Any], rows: mysql_arrow.Stream) -> Part:
    """Write one Parquet file straight from the wire; no file is left for no rows.

    A file that breaks off may stay behind, and no manifest names it.

    Args:
        target: schema of the file; the columns named in ``marks`` are constant.
    """
    path, store = storage.path_of(uri), storage.filesystem()
    constants = {name: pa.array([value], target.field(name).type) for name, value in marks.items()}
    with storage.errors(uri), store.open_output_stream(path) as output:
        count = rows.write_parquet(_Watched(output), constants=constants, row_group_bytes=ROW_GROUP_BYTES)
        faultpoints.reach("extract.source_read")
        size = output.tell()
    if not count:
        store.delete_file(path)
        size = 0
    return Part(uri, count, size, hash_sum=str(rows.hash_sum))


class _Watched:
    """An output at which a test may let the process die between two writes."""

    def __init__(self, output: pa.NativeFile) -> None:
        self._output = output

    def write(self, data: bytes) -> None:
        faultpoints.reach("extract.row_group")
        self._output.write(data)


def write_batches(uri: str, target: pa.Schema, marks: dict[str, Any], batches: Iterable[pa.RecordBatch]) -> Part | None:
    """Write one Parquet file, streaming; no file is made for no rows.

    Args:
        target: schema of the file; the columns named in ``marks`` are constant.
    """
    stream: Iterator[pa.RecordBatch] = iter(batches)
    first = next(stream, None)
    if first is None:
        return None
    rows = 0
    path = storage.path_of(uri)
    dictionary = [field.name for field in target if pa.types.is_string(field.type)]
    with (
        storage.errors(uri),
        pq.ParquetWriter(
            path, target, filesystem=storage.filesystem(), compression="zstd", use_dictionary=dictionary
        ) as writer,
    ):
        for group in _row_groups(chain([first], stream)):
            table = pa.Table.from_batches(group)
            for name, value in marks.items():
                table = table.append_column(
                    target.field(name), pa.repeat(pa.scalar(value, target.field(name).type), table.num_rows)
                )
            writer.write_table(table.select(target.names))
            rows += table.num_rows
    return Part(uri, rows, storage.filesystem().get_file_info(path).size)


def _row_groups(batches: Iterator[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    group: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        group.append(batch)
        rows += batch.num_rows
        if rows >= ROWS_PER_GROUP:
            yield group
            group, rows = [], 0
    if group:
        yield group
