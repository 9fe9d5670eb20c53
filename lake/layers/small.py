"""Takes small tables in that were read whole: judged in memory, and many of them put into the lake in one commit.

For a table of some hundred rows Spark's part is all planning and round trips. Here a table costs a fraction of that,
and ``cleaned`` and ``quarantine`` change at the same instant. What comes out is what Spark makes of the same rows, in
tables of the same layout; a later increment goes on with them in Spark.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.table import Table, Transaction
from tenacity import Retrying, before_sleep_log, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from lake import faultpoints
from lake.contracts import OPERATION, Contract
from lake.errors import AuditError
from lake.layers import layout, raw
from lake.layers.judged import Judged, can_judge, judge
from lake.layers.outcome import Outcome
from lake.platform import catalog, storage
from lake.platform.catalog import pyiceberg_properties
from lake.platform.rest_catalog import TogetherCatalog

log = logging.getLogger(__name__)

# PyIceberg drops whole files where a table's properties ask for marks, which is what is wanted here.
warnings.filterwarnings("ignore", "Merge on read is not yet supported")

SMALL_VALUES = 1_000_000
"""Rows by columns of a table that is held in memory whole."""

SMALL_BYTES = 16 << 20
"""Of its landing files: texts may be long."""

FEW_KEYS = 1_000_000
"""Of a parent, in memory while the tables that point at it are judged."""

TOGETHER = 40
"""Tables in one commit."""

TOGETHER_VALUES = 4 * SMALL_VALUES
"""Rows by columns of the tables in one commit, all of which are in memory at once."""

AT_ONCE = 4
LAYERS = ("cleaned", "quarantine")


@dataclass(frozen=True)
class Whole:
    """A table that a run has read whole.

    Attributes:
        files: addresses of its landing files.
        rows: in them.
        bytes: of them.
        references: column -> (parent, its column), of the parents that the run knows.
    """

    contract: Contract
    files: tuple[str, ...] = ()
    rows: int = 0
    bytes: int = 0
    references: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def values(self) -> int:
        """Rows by columns."""
        return self.rows * len(self.contract.columns)


def fits(whole: Whole, contracts: Mapping[str, Contract]) -> bool:
    """Whether a table is small enough, has no history, and rules that are applied here as in Spark.

    Args:
        contracts: those of its parents among them.
    """
    parents = {name: contracts[parent].schema.field(key).type for name, (parent, key) in whole.references.items()}
    return (
        bool(whole.files or not whole.rows)
        and whole.values <= SMALL_VALUES
        and whole.bytes <= SMALL_BYTES
        and not whole.contract.history
        and can_judge(whole.contract, parents)
    )


class SmallTables:
    """Puts small tables into the lake on one branch."""

    def __init__(self, branch: str) -> None:
        self._branch = branch
        self._lake = TogetherCatalog(branch, **pyiceberg_properties(branch))
        self._present = set(catalog.tables(branch))
        self._keys: dict[tuple[str, str], pa.Array | None] = {}
        self._lock = Lock()

    def can_replace(self, table: str) -> bool:
        """Whether what the lake has of a table consists of whole files: rows that Spark has marked as deleted in them
        only Spark takes out of the way."""
        found = [raw.find(self._branch, layer, table) for layer in LAYERS if f"{layer}.{table}" in self._present]
        snapshots = [one.current_snapshot() for one in found if one]
        return not any(int(one.summary["total-delete-files"] or 0) for one in snapshots if one and one.summary)

    def take_in(self, tables: Sequence[Whole]) -> list[Outcome]:
        """Take tables in, which come after those that they point at; what was found of each.

        Raises:
            AuditError: rows were lost or doubled on the way.
        """
        # One call after the other: what is gathered for a commit, and the memory, are this object's.
        with self._lock:
            self._keys = {parent: None for one in tables for parent in one.references.values()}
            return [outcome for some in _dealt(tables) for outcome in self._take_in(some)]

    def _take_in(self, tables: Sequence[Whole]) -> list[Outcome]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            landed = pool.map(_landed, tables)
            judged = [self._judged(one, rows) for one, rows in zip(tables, landed, strict=True)]
            retrying = Retrying(
                retry=retry_if_exception_type((CommitFailedException, CommitStateUnknownException)),
                stop=stop_after_attempt(5),
                wait=wait_random_exponential(max=10),
                before_sleep=before_sleep_log(log, logging.WARNING),
                reraise=True,
            )
            for attempt in retrying:
                with attempt:
                    if attempt.retry_state.attempt_number > 1:
                        # Another try of the task was faster, or this one's answer was lost.
                        self._lake.forget()
                        self._present = set(catalog.tables(self._branch))
                    outcomes = list(pool.map(self._written, tables, judged))
                    self._lake.commit()
        faultpoints.reach("clean.committed")
        _say(outcomes)
        self._present |= {f"{layer}.{one.contract.table}" for one in tables for layer in LAYERS}
        return outcomes

    def _judged(self, whole: Whole, rows: pa.Table) -> Judged:
        table = whole.contract.table
        found = judge(rows, whole.contract, {name: self._existing(*key) for name, key in whole.references.items()})
        for parent, column in self._keys:
            if parent == table:
                self._keys[parent, column] = found.valid.column(column).combine_chunks()
        return found

    def _existing(self, parent: str, column: str) -> pa.Array:
        """The keys of a parent: of one that is taken in now those that were found valid, else those in the lake."""
        keys = self._keys[parent, column]
        if keys is None:
            held = raw.find(self._branch, "cleaned", parent)
            assert held is not None, "a parent is cleaned before the tables that point at it"
            keys = held.scan(selected_fields=(column,)).to_arrow().column(column).combine_chunks()
            self._keys[parent, column] = keys
        return keys

    def _written(self, whole: Whole, judged: Judged) -> Outcome:
        """Write what was found, without committing it; what the tables will say of themselves."""
        table = whole.contract.table
        valid = self._replace("cleaned", table, judged.valid)
        refused = self._replace("quarantine", table, judged.refused)
        if valid + refused != whole.rows:
            raise AuditError(
                f"{table}: {whole.rows} rows judged, but {valid} valid and {refused} refused",
                "rows were lost or doubled on the way: this is a defect of the platform, keep the branch and report it",
            )
        return Outcome(table, whole.rows, valid, refused, 0, judged.reasons)

    def _replace(self, layer: str, table: str, rows: pa.Table) -> int:
        """Let the content of a table be these rows; how many it then says it has."""
        name = (layer, table)
        if f"{layer}.{table}" in self._present:
            held = self._lake.load_table(name)
            transaction = held.transaction()
            _evolve(transaction, rows.schema)
            _empty(held, transaction)
        else:
            transaction = self._lake.create_table_transaction(name, rows.schema, properties=dict(layout.PROPERTIES))
        if rows.num_rows:
            transaction.append(rows)
        snapshot = transaction.table_metadata.current_snapshot()
        transaction.commit_transaction()
        return int(snapshot.summary["total-records"] or 0) if snapshot and snapshot.summary else 0


def _say(outcomes: Sequence[Outcome]) -> None:
    """Log a line for all, and one for each table of which rows were refused."""
    valid, first, last = sum(one.valid for one in outcomes), outcomes[0].table, outcomes[-1].table
    log.info("cleaned: %s small tables, %s to %s, %s rows", len(outcomes), first, last, valid)
    for one in outcomes:
        if one.refused:
            log.info("cleaned.%s: %s", one.table, one)


def _dealt(tables: Sequence[Whole]) -> Iterator[list[Whole]]:
    """Tables in their order, in lists that are committed together."""
    some: list[Whole] = []
    for one in tables:
        if some and (len(some) == TOGETHER or sum(each.values for each in (*some, one)) > TOGETHER_VALUES):
            yield some
            some = []
        some.append(one)
    if some:
        yield some


def _landed(whole: Whole) -> pa.Table:
    """The rows that a run has read of a table, with its marks.

    Raises:
        AuditError: they are not as many as its extraction says.
    """
    schema = pa.schema([column for column in whole.contract.raw_schema if column.name != OPERATION])
    parts = [pq.read_table(pa.BufferReader(storage.get(uri)), columns=schema.names) for uri in whole.files]
    rows = (
        pa.concat_tables([part.select(schema.names).cast(schema) for part in parts]) if parts else schema.empty_table()
    )
    if rows.num_rows != whole.rows:
        raise AuditError(
            f"{whole.contract.table}: its landing files hold {rows.num_rows} rows, but its extraction landed "
            f"{whole.rows}",
            "run again: it reads the source anew. If that does not help, keep the branch and report it",
        )
    return rows


def _evolve(transaction: Transaction, schema: pa.Schema) -> None:
    """Add the columns that a table lacks, and widen those that have grown. What cannot be widened the raw layer has
    refused before."""
    with transaction.update_schema() as update:
        update.union_by_name(schema)


def _empty(held: Table, transaction: Transaction) -> None:
    """Take all rows out of a table."""
    snapshot = held.current_snapshot()
    if snapshot and snapshot.summary and int(snapshot.summary["total-records"] or 0):
        transaction.delete(AlwaysTrue())
