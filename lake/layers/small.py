"""Takes small tables in: judged and merged in memory, and many of them put into the lake in one commit.

For a table of some hundred rows Spark's part is all planning and round trips. Here a table costs a fraction of that,
and ``cleaned`` and ``quarantine`` change at the same instant. What comes out is what Spark makes of the same rows, in
tables of the same layout, and either goes on with what the other has made.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.table import Table, Transaction
from tenacity import Retrying, before_sleep_log, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from lake import faultpoints, logs, tracing
from lake.contracts import OPERATION, PROBLEMS
from lake.errors import AuditError
from lake.layers import layout, raw
from lake.layers.judged import judge
from lake.layers.layout import REASONS
from lake.layers.merged import Increment, as_schema, merge
from lake.layers.outcome import Outcome
from lake.layers.sizes import LAYERS, SMALL_BYTES, SMALL_VALUES, Arrived
from lake.platform import catalog, storage
from lake.platform.catalog import pyiceberg_properties
from lake.platform.rest_catalog import TogetherCatalog
from lake.tracing import names

log = logging.getLogger(__name__)

# PyIceberg drops whole files where a table's properties ask for marks, which is what is wanted here.
warnings.filterwarnings("ignore", "Merge on read is not yet supported")

TOGETHER = 40
"""Tables in one commit."""

TOGETHER_VALUES = SMALL_VALUES
"""Rows by columns of the tables in one commit, all of which are in memory at once, ..."""

TOGETHER_BYTES = 2 * SMALL_BYTES
"""... and bytes of their landing files."""

AT_ONCE = 4


@dataclass(frozen=True)
class Content:
    """What the tables of a small one will hold.

    Attributes:
        cleaned, quarantine: all of their rows, or None where they stay as they are.
    """

    cleaned: pa.Table | None
    quarantine: pa.Table | None
    outcome: Outcome


class SmallTables:
    """Puts small tables into the lake on the branch of a run.

    Args:
        lost: tables that may have lost rows in this run; those that are found to have are added.
    """

    def __init__(self, branch: str, run_id: str, lost: set[str]) -> None:
        self._branch = branch
        self._run_id = run_id
        self._lost = lost
        self._lake = TogetherCatalog(branch, **pyiceberg_properties(branch))
        self._present = set(catalog.tables(branch))
        self._keys: dict[tuple[str, str], pa.Array | None] = {}
        self._lock = Lock()

    def take_in(self, tables: Sequence[Arrived]) -> list[Outcome]:
        """Take tables in, which come after those that they point at; what was found of each.

        Raises:
            AuditError: rows were lost or doubled on the way.
        """
        # One call after the other: what is gathered for a commit, and the memory, are this object's.
        with self._lock:
            self._keys = {parent: None for one in tables for parent in one.references.values()}
            return [outcome for some in _dealt(tables) for outcome in self._take_in(some)]

    def _take_in(self, tables: Sequence[Arrived]) -> list[Outcome]:
        with tracing.span("take in small tables", {names.TABLES: len(tables)}) as span:
            outcomes = self._taken_in(tables)
            span.set_attribute(names.ROWS, sum(one.judged for one in outcomes))
        return outcomes

    def _taken_in(self, tables: Sequence[Arrived]) -> list[Outcome]:
        with ThreadPoolExecutor(AT_ONCE, initializer=logs.same_context()) as pool:
            landed = pool.map(_landed, tables)
            contents = [self._content(one, rows) for one, rows in zip(tables, landed, strict=True)]
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
                    with tracing.span("write files"):
                        for _ in pool.map(self._write, contents):
                            pass
                    with tracing.span("commit", service="nessie"):
                        self._lake.commit()
        faultpoints.reach("clean.committed")
        outcomes = [content.outcome for content in contents]
        _say(outcomes)
        self._present |= {f"{layer}.{one.contract.table}" for one in tables for layer in LAYERS}
        return outcomes

    def _content(self, arrived: Arrived, landed: Landing) -> Content:
        table = arrived.contract.table
        content = self._whole(arrived, landed) if arrived.landed.is_full else self._merged(arrived, landed)
        outcome = content.outcome
        if outcome.judged != outcome.valid + outcome.refused:
            raise AuditError(
                f"{table}: {outcome.judged} rows judged, but {outcome.valid} valid and {outcome.refused} refused",
                "rows were lost or doubled on the way: this is a defect of the platform, keep the branch and report it",
            )
        if outcome.refused or outcome.deleted:
            self._lost.add(table)
        for parent, column in self._keys:
            if parent == table and content.cleaned is not None:
                self._keys[parent, column] = content.cleaned.column(column).combine_chunks()
        return content

    def _whole(self, arrived: Arrived, landed: Landing) -> Content:
        found = judge(landed.read, arrived.contract, self._keys_of(arrived))
        counts = (arrived.landed.read, found.valid.num_rows, found.refused.num_rows, 0)
        return Content(found.valid, found.refused, Outcome(arrived.contract.table, *counts, found.reasons))

    def _merged(self, arrived: Arrived, landed: Landing) -> Content:
        contract = arrived.contract
        lost = [
            name for name, (parent, _) in arrived.references.items() if arrived.landed.was_held or parent in self._lost
        ]
        waiting = self._rows("quarantine", contract.table, landed.read.schema)
        if not (landed.read.num_rows or landed.gone.num_rows or waiting.num_rows or lost):
            return Content(None, None, Outcome(contract.table))
        valid_schema = pa.schema([column for column in landed.read.schema if column.name != PROBLEMS])
        held = self._rows("cleaned", contract.table, valid_schema)
        keys = self._keys_of(arrived)
        of_lost = {name: keys[name] for name in lost}
        increment = Increment(contract, self._run_id, landed.read, landed.gone, held, waiting, of_lost)
        found = merge(increment, keys)
        judged = found.judged
        judged_rows = judged.valid.num_rows + judged.refused.num_rows
        counts = (judged_rows, judged.valid.num_rows, judged.refused.num_rows, landed.gone.num_rows)
        quarantine = judged.refused if judged.refused.num_rows or waiting.num_rows else None
        return Content(found.cleaned, quarantine, Outcome(contract.table, *counts, judged.reasons))

    def _rows(self, layer: str, table: str, schema: pa.Schema) -> pa.Table:
        """The rows of a table, in the columns of a schema and then those that only the table has."""
        found = raw.find(self._branch, layer, table)
        assert found is not None, "an increment is merged into tables that are there"
        rows = found.scan().to_arrow()
        others = [name for name in rows.column_names if name not in schema.names and name != REASONS]
        return as_schema(rows, pa.schema([*schema, *(rows.schema.field(name) for name in others)]))

    def _keys_of(self, arrived: Arrived) -> dict[str, pa.Array]:
        """For each referencing column, the keys that exist."""
        schema = arrived.contract.schema
        return {
            name: self._existing(*parent).cast(schema.field(name).type) for name, parent in arrived.references.items()
        }

    def _existing(self, parent: str, column: str) -> pa.Array:
        """The keys of a parent: of one that is taken in now those that were found valid, else those in the lake."""
        keys = self._keys[parent, column]
        if keys is None:
            held = raw.find(self._branch, "cleaned", parent)
            assert held is not None, "a parent is cleaned before the tables that point at it"
            keys = held.scan(selected_fields=(column,)).to_arrow().column(column).combine_chunks()
            self._keys[parent, column] = keys
        return keys

    def _write(self, content: Content) -> None:
        """Write what changes, without committing it."""
        table = content.outcome.table
        for layer, rows in (("cleaned", content.cleaned), ("quarantine", content.quarantine)):
            if rows is None:
                continue
            written = self._replace(layer, table, rows)
            if written != rows.num_rows:
                raise AuditError(
                    f"{table}: {layer} would have {written} rows, not {rows.num_rows}",
                    "this is a defect of the platform: keep the branch and report it",
                )

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
            with logs.about(table=one.table):
                log.info("cleaned.%s: %s", one.table, one)


def _dealt(tables: Sequence[Arrived]) -> Iterator[list[Arrived]]:
    """Tables in their order, in lists that are committed together."""
    some: list[Arrived] = []
    for one in tables:
        if some and _is_full([*some, one]):
            yield some
            some = []
        some.append(one)
    if some:
        yield some


def _is_full(tables: Sequence[Arrived]) -> bool:
    return (
        len(tables) > TOGETHER
        or sum(one.values for one in tables) > TOGETHER_VALUES
        or sum(one.landed.bytes for one in tables) > TOGETHER_BYTES
    )


@dataclass(frozen=True)
class Landing:
    """What landed of a table: rows with the contract's columns, the reader's problems and the marks.

    Attributes:
        gone: rows that hold nothing but the keys that are gone, and the marks.
    """

    read: pa.Table
    gone: pa.Table


def _landed(arrived: Arrived) -> Landing:
    """What a run has read of a table.

    Raises:
        AuditError: it is not as much as its extraction says.
    """
    schema = pa.schema([column for column in arrived.contract.raw_schema if column.name != OPERATION])
    read, gone = (_in_files(files, schema) for files in (arrived.landed.files, arrived.landed.deletes))
    if (read.num_rows, gone.num_rows) != (arrived.landed.read, arrived.landed.deleted):
        raise AuditError(
            f"{arrived.contract.table}: its landing files hold {read.num_rows} rows and {gone.num_rows} deleted keys, "
            f"but its extraction landed {arrived.landed.read} and {arrived.landed.deleted}",
            "run again: it reads the source anew. If that does not help, keep the branch and report it",
        )
    return Landing(read, gone)


def _in_files(files: Sequence[str], schema: pa.Schema) -> pa.Table:
    parts = [pq.read_table(pa.BufferReader(storage.get(uri)), columns=schema.names) for uri in files]
    return (
        pa.concat_tables([part.select(schema.names).cast(schema) for part in parts]) if parts else schema.empty_table()
    )


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
