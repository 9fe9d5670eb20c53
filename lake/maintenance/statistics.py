"""Which tables are worth being written anew, told by what the catalog's metadata says of their files: no data is read.

The rules are those by which Iceberg's own `rewrite_data_files` chooses files, so that a table which is chosen here is
changed there, and one that was rewritten is not chosen again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pyiceberg.conversions import from_bytes
from pyiceberg.io import FileIO
from pyiceberg.manifest import DataFile, DataFileContent, ManifestFile
from pyiceberg.table import Table
from pyiceberg.typedef import Record
from pyiceberg.types import StringType, TimestamptzType

from lake.contracts import EXTRACTED_AT
from lake.layers import raw
from lake.platform import row_delta

TARGET_BYTES = 128 << 20
"""Of a data file. Smaller than Iceberg's own 512 MiB, because a lake that is kept as it was keeps what is rewritten
twice for a while."""

SMALL_BYTES = TARGET_BYTES // 4
"""A file that is smaller is put together with others, ..."""

FEW = 5
"""... where there are so many of them in one partition."""

DELETED_SHARE = 0.2
"""Of a file's rows: one that has lost as much is written anew. So what is written for it is at most five times what was
deleted, and files that hardly change stay, and are shared by all states of the lake."""

SMALL_MANIFEST_BYTES = 256 << 10
"""Half of what tables ask for (`raw.MERGED_MANIFESTS`), so that what was written anew is not small again."""
MANY_MANIFESTS = 20

READ_AT_ONCE = 16


@dataclass
class Statistics:
    """What the metadata says of a table's files.

    Attributes:
        small: data files that are small, by partition.
        deleted_share: greatest share of deleted rows of a data file.
        delete_files: how many there are.
        with_deletes: data files of which rows are deleted.
        small_manifests: how many there are.
        bytes: of all data and delete files.
    """

    small: Counter[Hashable] = field(default_factory=Counter)
    deleted_share: float = 0.0
    delete_files: int = 0
    with_deletes: int = 0
    small_manifests: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Need:
    """What is to be done with a table.

    Attributes:
        table: qualified name.
        data: whether small files are put together, and files written anew of which much is deleted.
        deletes: whether the files of deletes are put together.
        manifests: whether the manifests are.
        bytes: of the table's files.
        before: of raw, the instant from which on rows stay in the files that were landed.
    """

    table: str
    data: bool
    deletes: bool
    manifests: bool
    bytes: int
    before: datetime | None = None

    @property
    def is_any(self) -> bool:
        """Whether anything is to be done."""
        return self.data or self.deletes or self.manifests

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        why = {"small files": self.data, "deletes": self.deletes, "manifests": self.manifests}
        return {"table": self.table, "bytes": self.bytes, "why": [name for name, is_due in why.items() if is_due]}


def needs(reference: str, tables: Iterable[str], landed_before: datetime) -> list[Need]:
    """What is to be done with some tables; those with which nothing is are left out.

    Args:
        tables: qualified names.
        landed_before: rows of raw that were read later stay in the files that were landed.
    """
    with ThreadPoolExecutor(max_workers=READ_AT_ONCE) as pool:
        found = pool.map(lambda name: need(reference, name, landed_before), sorted(tables))
        return [each for each in found if each.is_any]


def need(reference: str, name: str, landed_before: datetime) -> Need:
    """What is to be done with one table."""
    layer, table = name.split(".", 1)
    before = landed_before if layer == "raw" else None
    found = raw.find(reference, layer, table)
    if found is None or _is_small(found):
        return Need(name, False, False, False, 0, before)
    told = read(found, before)
    data = max(told.small.values(), default=0) >= FEW or told.deleted_share >= DELETED_SHARE
    many_deletes = told.delete_files >= FEW and told.delete_files > 2 * told.with_deletes
    return Need(
        name,
        data=data,
        # Also what was deleted from the files that are written anew is to go.
        deletes=many_deletes or (data and told.delete_files > 0),
        manifests=told.small_manifests >= MANY_MANIFESTS,
        bytes=told.bytes,
        before=before,
    )


def _is_small(table: Table) -> bool:
    """Whether so little was written to a table that its manifests need not be read. Nearly all tables are so."""
    snapshot = table.current_snapshot()
    if snapshot is None or snapshot.summary is None:
        return True
    files, deletes = (int(snapshot.summary[f"total-{kind}-files"] or 0) for kind in ("data", "delete"))
    return files < FEW and not deletes


def read(table: Table, before: datetime | None = None) -> Statistics:
    """The statistics of a table's current state.

    Args:
        before: data files with rows that were read from the source later do not count as small.
    """
    snapshot = table.current_snapshot()
    told, rows, deleted = Statistics(), dict[str, int](), Counter[str]()
    for manifest in snapshot.manifests(table.io) if snapshot else ():
        told.small_manifests += manifest.manifest_length < SMALL_MANIFEST_BYTES
        for file in _files(manifest, table.io):
            told.bytes += file.file_size_in_bytes
            if file.content == DataFileContent.DATA:
                rows[file.file_path] = file.record_count
                is_counted = before is None or _newest(table, file) < before
                told.small[_partition(file)] += is_counted and file.file_size_in_bytes < SMALL_BYTES
            else:
                told.delete_files += 1
                deleted[_deletes_from(file)] += file.record_count
    shares = [deleted[path] / count for path, count in rows.items() if count]
    told.deleted_share = max(shares, default=0.0)
    told.with_deletes = sum(share > 0 for share in shares)
    return told


def _files(manifest: ManifestFile, io: FileIO) -> list[DataFile]:
    return [entry.data_file for entry in manifest.fetch_manifest_entry(io)]


def _partition(file: DataFile) -> Hashable:
    partition: Record = file.partition
    return file.spec_id, tuple(partition[place] for place in range(len(partition)))


def _deletes_from(file: DataFile) -> str:
    """The data file from which a file of deletes takes rows; empty where they are several."""
    least, greatest = ((bounds or {}).get(row_delta.FILE_ID) for bounds in (file.lower_bounds, file.upper_bounds))
    return str(from_bytes(StringType(), least)) if least is not None and least == greatest else ""


def _newest(table: Table, file: DataFile) -> datetime:
    """When the newest row of a file of raw was read from the source."""
    column = table.schema().find_field(EXTRACTED_AT)
    bound: Any = (file.upper_bounds or {}).get(column.field_id)
    if bound is None:
        return datetime.max.replace(tzinfo=UTC)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=from_bytes(TimestamptzType(), bound))
