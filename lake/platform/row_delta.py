"""Adds rows to an Iceberg table and deletes others, in one snapshot: what Iceberg calls a row delta.

What is deleted stays in its file, and a file beside it has its position. PyIceberg 0.12 reads such files and does not
write them. The format: https://iceberg.apache.org/spec/#position-delete-files
"""

from __future__ import annotations

import struct
import uuid
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.io import FileIO
from pyiceberg.io.pyarrow import PYARROW_PARQUET_FIELD_ID_KEY, _dataframe_to_data_files
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
"""Iceberg's ids of the columns of a file of deletes."""

DELETES = pa.schema(
    [
        pa.field("file_path", pa.string(), nullable=False, metadata={PYARROW_PARQUET_FIELD_ID_KEY: b"%d" % FILE_ID}),
        pa.field("pos", pa.int64(), nullable=False, metadata={PYARROW_PARQUET_FIELD_ID_KEY: b"%d" % PLACE_ID}),
    ]
)


def change_rows(transaction: Transaction, added: pa.Table, deletes: pa.Table) -> None:
    """Add rows to a table without partitions, and delete others.

    Args:
        added: perhaps none.
        deletes: of the rows that go, the addresses of their files and their places in them, from 0: `DELETES`.

    Raises:
        ValueError: the table has partitions.
    """
    metadata = transaction.table_metadata
    if not metadata.spec().is_unpartitioned():
        raise ValueError(f"{'.'.join(transaction._table.name())} has partitions, for which no deletes are written")
    io = transaction._table.io
    delta = _RowDelta(Operation.OVERWRITE, transaction, io)
    with delta:
        if added.num_rows:
            for file in _dataframe_to_data_files(metadata, added, io, delta.commit_uuid):
                delta.append_data_file(file)
        for uri in pc.unique(deletes.column("file_path")).to_pylist():
            places = deletes.filter(pc.equal(deletes.column("file_path"), uri)).column("pos")
            delta.deletes.append(_write(transaction, io, uri, sorted(places.to_pylist())))


def _write(transaction: Transaction, io: FileIO, data_file: str, places: list[int]) -> DataFile:
    """Write what is deleted of one data file. By a file for each, engines and maintenance know how much that is without
    reading it."""
    uri = transaction._table.location_provider().new_data_location(f"{uuid.uuid4()}-deletes.parquet")
    count, output = len(places), io.new_output(uri)
    with output.create() as stream, pq.ParquetWriter(stream, DELETES, compression="zstd") as writer:
        writer.write_table(pa.table({"file_path": [data_file] * count, "pos": places}, schema=DELETES))
    return DataFile.from_args(
        content=DataFileContent.POSITION_DELETES,
        file_path=uri,
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=count,
        file_size_in_bytes=len(output),
        value_counts={FILE_ID: count, PLACE_ID: count},
        null_value_counts={FILE_ID: 0, PLACE_ID: 0},
        # The address is whole: one that is cut short matches more.
        lower_bounds={FILE_ID: data_file.encode(), PLACE_ID: struct.pack("<q", places[0])},
        upper_bounds={FILE_ID: data_file.encode(), PLACE_ID: struct.pack("<q", places[-1])},
        sort_order_id=None,
        spec_id=transaction.table_metadata.default_spec_id,
        equality_ids=None,
        key_metadata=None,
    )


class _RowDelta(_MergeAppendFiles):  # type: ignore[misc]
    """The snapshot. What it adds to PyIceberg's append is a manifest of the files of deletes."""

    _added_data_files: list[DataFile]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.deletes: list[DataFile] = []

    def _manifests(self) -> list[ManifestFile]:
        manifests: list[ManifestFile] = super()._manifests()
        if not self.deletes:
            return manifests
        spec = self._transaction.table_metadata.spec()
        writer = _DeletesWriter(spec, self.schema(), self.new_manifest_output(), self.snapshot_id, self._compression)
        with writer:
            for file in self.deletes:
                status, number = ManifestEntryStatus.ADDED, self.snapshot_id
                writer.add(ManifestEntry.from_args(status=status, snapshot_id=number, data_file=file))
        return [*manifests, writer.to_manifest_file()]

    def _summary(self, snapshot_properties: dict[str, str] = EMPTY_DICT) -> Summary:
        data = self._added_data_files
        self._added_data_files = [*data, *self.deletes]
        try:
            return super()._summary(snapshot_properties)
        finally:
            self._added_data_files = data


class _DeletesWriter(ManifestWriterV2):  # type: ignore[misc]
    """Writes a manifest of files of deletes."""

    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}
