"""The raw layer: the landing files themselves, registered in Iceberg without copying a byte.

A table of this layer holds every version of every row that was ever extracted. The commit that adds a run's rows also
writes the run and its watermark into the table's properties: by the run a repeated commit finds its own work, the
watermark is for people. Where the next increment starts stands in the manifest of the last published run.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import requests
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import (
    CommitFailedException,
    CommitStateUnknownException,
    NoSuchTableError,
    TableAlreadyExistsError,
    ValidationError,
    ValidationException,
)
from pyiceberg.table import Table, Transaction
from pyiceberg.table.metadata import TableMetadata
from tenacity import (
    before_sleep_log,
    retry,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from lake import faultpoints, logs, tracing
from lake.contracts import Contract
from lake.errors import ContractError
from lake.extract.manifest import Manifest
from lake.platform.catalog import pyiceberg_properties
from lake.platform.rest_catalog import NessieCatalog, TogetherCatalog
from lake.tracing import names

log = logging.getLogger(__name__)

WATERMARK = "lake.watermark"
LAST_RUN = "lake.run"
FILES = "lake.files"
FEW_MANIFESTS = 4
MERGED_MANIFESTS = {
    "commit.manifest-merge.enabled": "true",
    "commit.manifest.min-count-to-merge": str(FEW_MANIFESTS),
    "commit.manifest.target-size-bytes": str(512 << 10),
}
"""Properties of a table that gets a file with each run. A manifest holds the table's schema twice, some 8 KB, and a few
hundred bytes for each file: one a run, held on to by each state that is kept, would soon be most of what a small table
takes. Large ones are left as they are, for each state that is kept holds on to what was written in their place."""

TOGETHER = 100
"""Tables that are made in one commit."""

AT_ONCE = 4
LAYERS = ("raw", "cleaned", "history", "quarantine", "curated", "intermediate", "marts", "audit")


@dataclass(frozen=True)
class Registered:
    """What a run added to a raw table.

    Attributes:
        read: rows read from the source.
        deleted: rows found to be gone from the source.
    """

    table: str
    read: int
    deleted: int

    @property
    def changed(self) -> bool:
        """Whether anything is to be done downstream."""
        return bool(self.read or self.deleted)


@lru_cache(maxsize=8)
def open_catalog(reference: str) -> Catalog:
    """The catalog at a branch, or at a commit as ``main@HASH``."""
    return NessieCatalog(reference, **pyiceberg_properties(reference))


def prepare(reference: str) -> None:
    """Make the namespaces of all layers, where they are missing."""
    catalog = open_catalog(reference)
    have = {name[0] for name in catalog.list_namespaces()}
    for layer in LAYERS:
        if layer not in have:
            catalog.create_namespace(layer)


def find(reference: str, layer: str, table: str) -> Table | None:
    """A table of a layer at ``reference``, or nothing."""
    try:
        return open_catalog(reference).load_table((layer, table))
    except NoSuchTableError:
        return None


def files(reference: str, table: str) -> set[str]:
    """Addresses of the landing files that make up ``raw.<table>``; none where there is no table."""
    found = find(reference, "raw", table)
    return set(found.inspect.files()["file_path"].to_pylist()) if found else set()


def row_count(reference: str, layer: str, table: str) -> int:
    """Rows of a table without row-level deletes, from its metadata; 0 where there is no table."""
    return _of_last_commit(reference, layer, table, "total-records")


def rows_added(reference: str, layer: str, table: str) -> int:
    """Rows that the last commit of a table added, from its metadata; 0 where there is no table."""
    return _of_last_commit(reference, layer, table, "added-records")


def _of_last_commit(reference: str, layer: str, table: str, name: str) -> int:
    found = find(reference, layer, table)
    return told(found.metadata, name) if found else 0


def told(metadata: TableMetadata, name: str) -> int:
    """A number that a table's metadata tells of its last commit, such as ``total-records``; 0 where it does not."""
    snapshot = metadata.current_snapshot()
    return int(snapshot.summary[name] or 0) if snapshot and snapshot.summary else 0


RETRIED = (
    CommitFailedException,
    CommitStateUnknownException,
    # PyIceberg tries a commit again by itself, and then looks for the snapshot that it began with, which Nessie no
    # longer has.
    ValidationException,
    requests.ConnectionError,
    requests.Timeout,
)
"""A commit may have been refused because another try was faster, or have happened though its answer was lost. Both
times the table itself tells, when it is looked at again."""


def register_all(
    manifests: Sequence[Manifest], contracts: Mapping[str, Contract], branch: str, present: Container[str]
) -> None:
    """Add the landing files of tables to ``raw`` on the run's branch; doing it again changes nothing.

    Tables that are new are made many at a time, each with its rows, in one commit. The others are looked at one by one.

    Args:
        present: qualified names of the tables that the branch has.

    Raises:
        ContractError: a column has changed its type to one that cannot hold what the table has.
    """
    new = [one for one in manifests if f"raw.{one.table}" not in present]
    groups = [new[start : start + TOGETHER] for start in range(0, len(new), TOGETHER)]
    others = [one for one in manifests if f"raw.{one.table}" in present]
    # Nearly all of a table's time is waiting for the catalog and the object store.
    with (
        tracing.several("register in raw", {names.TABLES: len(manifests)}) as traced,
        ThreadPoolExecutor(AT_ONCE, initializer=logs.same_context()) as pool,
    ):

        def again(one: Manifest) -> None:
            with traced.one(f"raw.{one.table}", {names.ROWS: one.rows, names.DELETED: one.deleted}):
                register(one, contracts[one.table], branch)

        for group in groups:
            with traced.one(f"{len(group)} new, from raw.{group[0].table}", {names.TABLES: len(group)}):
                others += _make(group, contracts, branch, pool)
        for _ in pool.map(again, others):
            pass


def _make(
    manifests: Sequence[Manifest], contracts: Mapping[str, Contract], branch: str, pool: ThreadPoolExecutor
) -> Sequence[Manifest]:
    """Make some tables in one commit; those that are to be looked at again, because it was not made or may not be."""
    lake = TogetherCatalog(branch, **pyiceberg_properties(branch))

    def make(manifest: Manifest) -> None:
        name = ("raw", manifest.table)
        with lake.create_table_transaction(name, contracts[manifest.table].raw_schema) as transaction:
            if manifest.rows or manifest.deleted:
                _add(transaction, manifest)

    try:
        for _ in pool.map(make, manifests):
            pass
        lake.commit()
    except (*RETRIED, TableAlreadyExistsError) as error:
        log.warning("%s tables are registered one by one: %s", len(manifests), error)
        return manifests
    faultpoints.reach("register.committed")
    log.info("raw: %s tables are new, from %s to %s", len(manifests), manifests[0].table, manifests[-1].table)
    return ()


@retry(
    retry=retry_if_exception_type(RETRIED),
    stop=stop_after_attempt(5),
    wait=wait_random_exponential(max=10),
    before_sleep=before_sleep_log(log, logging.WARNING),
    reraise=True,
)
def register(manifest: Manifest, contract: Contract, branch: str) -> Registered:
    """Add a table's landing files to ``raw.<table>`` on the run's branch, in one commit with the mark of the run.

    Doing it again changes nothing: the table remembers the last run that it took in.

    Raises:
        ContractError: a column has changed its type to one that cannot hold what the table has.
    """
    result = Registered(contract.table, manifest.rows, manifest.deleted)
    table = find(branch, "raw", contract.table)
    if table is None:
        # Another try of the run may be faster.
        table = open_catalog(branch).create_table_if_not_exists(("raw", contract.table), contract.raw_schema)
    if table.properties.get(LAST_RUN) == manifest.run_id or not result.changed:
        return result
    _widen(table, contract)
    with table.transaction() as transaction:
        _add(transaction, manifest)
    faultpoints.reach("register.committed")
    with logs.about(table=contract.table):
        log.info("raw.%s: %s rows, %s deletes", contract.table, result.read, result.deleted)
    return result


def _add(transaction: Transaction, manifest: Manifest) -> None:
    """Add a run's landing files to a table, and its mark."""
    files = [part.uri for part in (*manifest.parts, *manifest.deletes)]
    properties = {LAST_RUN: manifest.run_id, **MERGED_MANIFESTS}
    if manifest.watermark:
        properties[WATERMARK] = manifest.watermark.isoformat()
    transaction.set_properties(properties)
    transaction.add_files(
        files,
        snapshot_properties={LAST_RUN: manifest.run_id, FILES: str(len(files))},
        # Whether they are there the mark of the run tells, and not a look into all manifests.
        check_duplicate_files=False,
    )


def _widen(table: Table, contract: Contract) -> None:
    """Bring the table's columns to the contract's: new ones are added, and types may become wider."""
    try:
        with table.update_schema() as update:
            update.union_by_name(contract.raw_schema)
    except ValidationError as error:
        raise ContractError(
            f"raw.{contract.table} holds values that the contract's types do not take: {error}",
            "give the column a new name in the contract, and its name in the source under `source_name`",
        ) from error
