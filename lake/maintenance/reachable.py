"""Finds the files that the lake refers to: of main, of every branch, of every tag and of every receipt that is kept.

What is read of a state of the lake is a list of tables with the addresses of their metadata. Most tables of most states
are those of another one, so each metadata, each manifest list and each manifest is read once, by its address.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from threading import Lock
from typing import Any

from pyiceberg.io import FileIO, load_file_io
from pyiceberg.manifest import ManifestFile, read_manifest_list
from pyiceberg.table.metadata import TableMetadataUtil

from lake.errors import CatalogError, LakeError
from lake.ledger.receipts import Receipt
from lake.maintenance.runs import REWRITING, Plan, unknown_commits
from lake.platform import catalog, storage
from lake.platform.catalog import MAIN, Reference
from lake.run import PREFIX

READ_AT_ONCE = 16
"""Nearly all of the time is waiting for the object store."""

NAMED = 3
"""Of many files that are missing."""


@dataclass(frozen=True)
class Root:
    """A state of the lake whose files are kept.

    Attributes:
        reference: as the catalog takes it.
        why: it is kept, for people.
    """

    reference: str
    why: str


@dataclass(frozen=True)
class Reachable:
    """Addresses of files.

    Attributes:
        of_main: those that main as it is refers to.
        files: all that are referred to, these included.
    """

    of_main: frozenset[str]
    files: frozenset[str]


def roots(plan: Plan, since: datetime) -> list[Root]:
    """The states of the lake that are kept, main's first.

    Among them is each that main and other branches have shown since an instant: who began to read one may not be done.
    A run's branch is its last state and the one that it started from.

    Args:
        since: with a time zone.
    """
    found = [Root(f"{MAIN}@{catalog.head()}", "main")]
    for each in plan.remaining:
        named = f"{'tag' if each.is_tag else 'branch'} {each.name}"
        found.append(Root(f"{each.name}@{each.hash}", named))
        if not each.is_tag and each.name.startswith((PREFIX, REWRITING)):
            found += [Root(f"{MAIN}@{each.base}", f"where {named} starts")] if each.base else []
        elif not each.is_tag:
            found += _shown(each, since)
    found += [Root(f"{MAIN}@{one.lake_commit}", f"the receipt of {one.run_id}") for one in plan.kept]
    by_hash: dict[str, Root] = {}
    for root in found:
        by_hash.setdefault(root.reference.partition("@")[2], root)
    return list(by_hash.values())


def _shown(branch: Reference, since: datetime) -> Iterator[Root]:
    """What a branch has shown since an instant, the state that it was in then included."""
    for commit in catalog.history(f"{branch.name}@{branch.hash}"):
        yield Root(f"{branch.name}@{commit.hash}", f"branch {branch.name} at {commit.committed_at}")
        if datetime.fromisoformat(commit.committed_at) < since:
            return


def find(roots: Iterable[Root], kept: Iterable[Receipt]) -> Reachable:
    """The files that some states of the lake refer to.

    Args:
        roots: the first is main as it is.
        kept: receipts that are kept, for the error.

    Raises:
        LakeError: a state is unknown to the catalog, or a file is gone that tells which others belong to a table.
            What else is needed is not known then, and nothing may be removed.
        ServiceError: the catalog or the object store is away.
    """
    reader = _Reader()
    of_main: frozenset[str] = frozenset()
    with ThreadPoolExecutor(max_workers=READ_AT_ONCE) as pool:
        for number, root in enumerate(roots):
            tables = _tables(root, kept)
            for _ in pool.map(partial(reader.read, root.why), tables.keys(), tables.values()):
                pass
            if not number:
                of_main = frozenset(reader.files)
    if reader.missing:
        raise LakeError(
            f"{len(reader.missing)} files are gone that say what tables are made of: "
            + "; ".join(reader.missing[:NAMED]),
            "put them back from a backup of the bucket. Where a receipt or a branch alone needs them and they are lost "
            f"for good, delete it ({storage.RECEIPTS}/<run>.json). Until then no file of the lake is removed",
        )
    return Reachable(of_main, frozenset(reader.files))


def _tables(root: Root, kept: Iterable[Receipt]) -> Mapping[str, str]:
    try:
        return catalog.metadata(root.reference)
    except CatalogError as error:
        commit = root.reference.partition("@")[2]
        if lost := [receipt for receipt in kept if receipt.lake_commit == commit]:
            raise unknown_commits(lost) from error
        raise


@dataclass
class _Reader:
    """Reads what tables are made of, each address once, in several threads."""

    io: FileIO = field(default_factory=lambda: load_file_io(catalog.pyiceberg_properties(MAIN)))
    files: set[str] = field(default_factory=set)
    missing: list[str] = field(default_factory=list)
    _lock: Any = field(default_factory=Lock)

    def read(self, why: str, name: str, address: str) -> None:
        """Note everything that the metadata at an address refers to, and itself.

        Args:
            why: it is kept.
            name: of the table or view.
        """
        if not self._is_new(address):
            return
        try:
            self._read_metadata(address)
        except FileNotFoundError as error:
            self.missing.append(f"{name} of {why} ({' '.join(str(error).split())})")

    def _read_metadata(self, address: str) -> None:
        document = json.loads(storage.get(_s3(address)))
        if "view-uuid" in document:
            return
        metadata = TableMetadataUtil.parse_obj(document)
        # The catalog keeps one snapshot a table. Were there more, readers could ask for each of them.
        for snapshot in metadata.snapshots:
            if self._is_new(snapshot.manifest_list):
                for manifest in read_manifest_list(self.io.new_input(snapshot.manifest_list)):
                    self._read_manifest(manifest)
        for statistics in (*metadata.statistics, *metadata.partition_statistics):
            self._is_new(statistics.statistics_path)

    def _read_manifest(self, manifest: ManifestFile) -> None:
        if self._is_new(manifest.manifest_path):
            found = {_s3(entry.data_file.file_path) for entry in manifest.fetch_manifest_entry(self.io)}
            with self._lock:
                self.files |= found

    def _is_new(self, address: str) -> bool:
        """Note an address; whether it is new."""
        with self._lock:
            before = len(self.files)
            self.files.add(_s3(address))
            return len(self.files) > before


def _s3(address: str) -> str:
    """The address as the object store lists it: some clients of S3 have names of their own for the scheme."""
    scheme, _, path = address.partition("://")
    return f"s3://{path}" if scheme in ("s3a", "s3n") else address
