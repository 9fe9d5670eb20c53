"""Adds rows to an Iceberg table and marks others as deleted, in one snapshot: what Iceberg calls a row delta.

PyIceberg 0.12 reads such marks and does not write them. The format: https://iceberg.apache.org/spec/#position-delete-files
"""

from __future__ import annotations

import struct
import uuid
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io import FileIO
from pyiceberg.io.pyarrow import _dataframe_to_data_files
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    ManifestWriterV2,
)
from pyiceberg.table import Transaction
from pyiceberg.table.snapshots import Operation, Summary
from pyiceberg.table.update.snapshot import _MergeAppendFiles
from pyiceberg.typedef import EMPTY_DICT, Record

FILE_ID, PLACE_ID = 2147483546, 2147483545
"""Iceberg's ids of the columns of a file of marks."""

MARKS = pa.schema(
    [
        pa.field("file_path", pa.string(), nullable=False, metadata={b"PARQUET:field_id": str(FILE_ID).encode()}),
        pa.field("pos", pa.int64(), nullable=False, metadata={b"PARQUET:field_id": str(PLACE_ID).encode()}),
    ]
)


def change_rows(transaction: Transaction, added: pa.Table, marks: pa.Table) -> None:
    """Add rows to a table without partitions, and mark others as deleted.

    Args:
        added: perhaps none.
        marks: of the rows that go, the addresses of their files and their places in them, from 0, as `MARKS` has them.

    Raises:
        ValueError: the table has partitions.
    """
    metadata = transaction.table_metadata
    if not metadata.spec().is_unpartitioned():
        raise ValueError(f"{'.'.join(transaction._table.name())} has partitions, which marks are not written for")
    io = transaction._table.io
    delta = _RowDelta(Operation.OVERWRITE, transaction, io)
    with delta:
        if added.num_rows:
            for file in _dataframe_to_data_files(metadata, added, io, delta.commit_uuid):
                delta.append_data_file(file)
        if marks.num_rows:
            in_order = marks.cast(MARKS).sort_by([(name, "ascending") for name in MARKS.names])
            delta.marks.append(_write(transaction, io, in_order))


def _write(transaction: Transaction, io: FileIO, marks: pa.Table) -> DataFile:
    """Write a file of marks, which are in order."""
    uri = transaction._table.location_provider().new_data_location(f"{uuid.uuid4()}-deletes.parquet")
    output = io.new_output(uri)
    with output.create() as stream, pq.ParquetWriter(stream, MARKS, compression="zstd") as writer:
        writer.write_table(marks)
    files, places = marks.column("file_path"), marks.column("pos").to_pylist()
    count = marks.num_rows
    return DataFile.from_args(
        content=DataFileContent.POSITION_DELETES,
        file_path=uri,
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=count,
        file_size_in_bytes=len(output),
        value_counts={FILE_ID: count, PLACE_ID: count},
        null_value_counts={FILE_ID: 0, PLACE_ID: 0},
        # By these an engine knows which files the marks are of. They are whole: one that is cut short matches more.
        lower_bounds={FILE_ID: files[0].as_py().encode(), PLACE_ID: struct.pack("<q", min(places))},
        upper_bounds={FILE_ID: files[-1].as_py().encode(), PLACE_ID: struct.pack("<q", max(places))},
        sort_order_id=None,
        spec_id=transaction.table_metadata.default_spec_id,
        equality_ids=None,
        key_metadata=None,
    )


class _RowDelta(_MergeAppendFiles):  # type: ignore[misc]
    """The snapshot. What it adds to PyIceberg's append is a manifest of the files of marks."""

    _added_data_files: list[DataFile]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.marks: list[DataFile] = []

    def _manifests(self) -> list[ManifestFile]:
        manifests: list[ManifestFile] = super()._manifests()
        if not self.marks:
            return manifests
        spec = self._transaction.table_metadata.spec()
        writer = _MarksWriter(spec, self.schema(), self.new_manifest_output(), self.snapshot_id, self._compression)
        with writer:
            for file in self.marks:
                status, number = ManifestEntryStatus.ADDED, self.snapshot_id
                writer.add(ManifestEntry.from_args(status=status, snapshot_id=number, data_file=file))
        return [*manifests, writer.to_manifest_file()]

    def _summary(self, snapshot_properties: dict[str, str] = EMPTY_DICT) -> Summary:
        data = self._added_data_files
        self._added_data_files = [*data, *self.marks]
        try:
            return super()._summary(snapshot_properties)
        finally:
            self._added_data_files = data


class _MarksWriter(ManifestWriterV2):  # type: ignore[misc]
    """Writes a manifest of files of marks."""

    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}
