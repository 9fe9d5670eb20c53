"""MySQL to Parquet: all tables of a run as of one snapshot, over several connections.

A run's extraction may be tried several times, even at once by a try that was thought dead. Each try writes files of its
own names, and the first to write the run's manifest is the one that counts (`lake.extract.manifest`). Chunks that an
earlier try has finished are not read again (`lake.extract.checkpoint`).
"""

from __future__ import annotations

import logging
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from pymysql.connections import Connection
from tenacity import before_sleep_log, retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from lake import faultpoints, logs, tracing
from lake.changes import increments
from lake.changes.increment import Held, Piece
from lake.changes.increments import Found, Moment
from lake.changes.strategy import State
from lake.contracts import DELETE, EXTRACTED_AT, OPERATION, READ, RUN_ID, Contract, follow
from lake.contracts.follow import Fit
from lake.contracts.source_schema import SourceTable
from lake.errors import ContractError, SourceLostError
from lake.extract import checkpoint, chunks, landing, manifest, overlap
from lake.extract.chunks import Chunk
from lake.extract.manifest import Manifest, Part
from lake.extract.pace import Pace
from lake.extract.workers import Job, work_off
from lake.settings import settings
from lake.source import applier, client, reader, schema, snapshot
from lake.source.detection import detect
from lake.source.quoting import quote
from lake.source.server import check_replica
from lake.source.snapshot import Snapshot
from lake.source.sources import Source
from lake.tracing import Several, names

log = logging.getLogger(__name__)

TRIES = 3


@dataclass(frozen=True)
class Request:
    """What to read of one table.

    Attributes:
        state: what the last published run left for the next increment; without it the whole table is read.
        held: gives what the lake holds of the table, under the contract as it is read; goes with the state.
        last: what the run before said of the table, where there was one.
        drifted: keys of rows that are read again though nothing tells that they changed; none for None.
        whole: why the table is read whole though it need not be, for the log and the manifest; empty for no reason.
        is_asked: whether it is to be read at all; one that is not stays as the run before left it.
    """

    contract: Contract
    state: State | None = None
    held: Callable[[Contract], Held] | None = None
    last: Manifest | None = None
    drifted: pa.Table | None = None
    whole: str = ""
    is_asked: bool = True


def extract(origin: Source, requests: list[Request], run_id: str) -> list[Manifest]:
    """Land every requested table of a source as of one consistent snapshot.

    Args:
        origin: the source that all requests are of.
        run_id: the run that the rows belong to. Where it has landed already, nothing is read.

    Returns:
        One manifest a table, in the order of the requests.

    Raises:
        ContractError: a contract does not fit the source; nothing was read.
        SourceError: the source is away, refuses us or holds a value that the contract's type cannot.
    """
    if manifest.is_committed(origin.name, run_id):
        log.info("run %s has landed already", run_id)
        found = manifest.read_all(origin.name, run_id)
    else:
        asked = [request for request in requests if request.is_asked]
        # A source of which nothing is to be read need not be there.
        read = [] if requests and not asked else _read(origin, asked, run_id)
        read += _not_asked_for(requests, read, run_id)
        faultpoints.reach("extract.uploaded")
        found = manifest.commit(origin.name, run_id, read)
        faultpoints.reach("extract.committed")
    by_table = {entry.table: entry for entry in found}
    return [by_table[request.contract.table] for request in requests]


@retry(
    retry=retry_if_exception_type(SourceLostError),
    stop=stop_after_attempt(TRIES),
    wait=wait_exponential(min=1, max=30),
    before_sleep=before_sleep_log(log, logging.WARNING),
    reraise=True,
)
def _read(origin: Source, requests: list[Request], run_id: str) -> list[Manifest]:
    """One try. A lost connection loses its read view, so all is tried again, as of a new snapshot."""
    config = settings()
    limit = config.source_max_mib_per_second
    bytes_per_second = limit << 20 if limit else None
    with client.connected(origin) as connection:
        spoken = detect(connection)
        applier.let_go(spoken, connection, origin)
        check_replica(spoken, connection, origin)
        before = increments.before_snapshot(connection, (request.contract for request in requests))
    pace = Pace(spoken, bytes_per_second)
    with snapshot.consistent(origin, config.source_connections) as view:
        first = view.connections[0]
        tables = schema.read_tables(first, origin)
        fits = schema.fits({request.contract.table: request.contract for request in requests}, tables)
        asked = {request.contract.table: request for request in requests}
        back = [
            manifest.held_back(run_id, name, shape.refusal, view.snapshot, asked[name].last)
            for name, shape in fits.items()
            if shape.obstacles
        ]
        back += [manifest.gone(run_id, name, view.snapshot, asked[name].last) for name in fits if fits[name].is_gone]
        _say(fits, any(request.last for request in requests))
        contracts = {name: shape.contract for name, shape in fits.items() if not shape.obstacles and not shape.is_gone}
        moment = increments.inside_snapshot(first, before)
        with tracing.span("find changes", {names.TABLES: len(contracts)}, service=spoken.system):
            found = _found(first, moment, origin, contracts, asked)
        marks = {RUN_ID: run_id, EXTRACTED_AT: view.snapshot.instant}
        begun = [
            _Table(
                contract, tables[contract.name_in_source], found[name], moment, view.snapshot, marks,
                secrets.token_hex(4),
            )
            for name, contract in contracts.items()
        ]  # fmt: skip
        with tracing.several("read tables", {names.TABLES: len(begun)}, service=spoken.system) as traced:
            jobs = [_measured(job, table, traced) for table in begun for job in table.jobs(first, pace)]
            work_off(origin, jobs, view.connections, pace)
            work_off(origin, [Job(0, table.close) for table in begun], view.connections, pace)
            read = [_told(table.manifest(), fits[table.contract.table], asked) for table in begun]
            for one in read:
                traced.note(one.table, _about(one), is_quiet=not one.rows and not one.deleted)
        log.info("%s: %s tables, rows of %s of them", origin.name, len(read), sum(bool(one.rows) for one in read))
        return [*back, *read]


def _found(
    connection: Connection[Any],
    moment: Moment,
    origin: Source,
    contracts: Mapping[str, Contract],
    asked: Mapping[str, Request],
) -> dict[str, Found]:
    """What changed in each table, and what is read besides or read whole though nothing tells that it changed."""
    found = increments.find(
        connection,
        moment,
        origin,
        contracts,
        {name: asked[name].state for name in contracts},
        {name: held_under(contracts[name]) for name in contracts if (held_under := asked[name].held)},
    )
    for name, contract in contracts.items():
        request = asked[name]
        if request.drifted is not None:
            found[name] = increments.with_drifted(connection, contract, found[name], request.drifted)
        if request.whole:
            found[name] = replace(found[name], plan=replace(found[name].plan, reason=request.whole))
    return found


def _measured(job: Job, table: _Table, traced: Several) -> Job:
    """A job whose time counts in the span of its table."""

    def run(connection: Connection[Any]) -> int:
        with traced.one(table.contract.table, {names.TABLE: table.contract.table}):
            return job.run(connection)

    return Job(job.size, run)


def _about(read: Manifest) -> dict[str, str | int]:
    """What the span of a table says of it."""
    size = sum(part.bytes for part in (*read.parts, *read.deletes))
    return {names.WAY: read.way, names.ROWS: read.rows, names.DELETED: read.deleted, names.BYTES: size}


def _not_asked_for(requests: list[Request], read: list[Manifest], run_id: str) -> list[Manifest]:
    """What a run says of the tables that it is not to read, beside those that it has read."""
    left = [request for request in requests if not request.is_asked]
    if not left:
        return []
    before = [request.last.snapshot for request in requests if request.last]
    snapshot = read[0].snapshot if read else max(before, key=lambda found: found.instant)
    missed = any(one.has_news for one in read)
    return [manifest.not_asked_for(run_id, request.contract.table, snapshot, request.last, missed) for request in left]


def _say(fits: Mapping[str, Fit], has_run: bool) -> None:
    """Log how the contracts fit their tables.

    Raises:
        ContractError: one does not, and no run has read this source yet: there is no state in which it could be held.
    """
    refusals = [shape.refusal for shape in fits.values() if shape.obstacles]
    if refusals and not has_run:
        raise ContractError("\n".join(refusals), follow.SETTLE)
    for refusal in refusals:
        log.error("held back: %s", refusal)
    for name, shape in fits.items():
        if shape.is_gone:
            log.warning("%s is gone from its source, and stays as it was", name)
        for change in shape.followed:
            log.warning("the contract of %s follows its table: %s", name, change)
        for column in shape.left_out:
            log.warning("column %s.%s is in no contract: it is not extracted", name, column)


def _told(read: Manifest, shape: Fit, asked: Mapping[str, Request]) -> Manifest:
    """A manifest, with what became of the contract and of the table since the run before."""
    last = asked[read.table].last
    columns = {change.column: shape.contract.columns[change.column] for change in shape.followed if change.now}
    return replace(
        read,
        was_held=manifest.misses_something(last),
        followed={name: column.model_dump(mode="json", by_alias=True) for name, column in columns.items()},
        gone=[change.column for change in shape.followed if not change.now],
        told=[str(change) for change in shape.followed],
    )


@dataclass
class _Table:
    """The reading of one table: the jobs that it takes, and what they found."""

    contract: Contract
    table: SourceTable
    found: Found
    moment: Moment
    snapshot: Snapshot
    marks: dict[str, Any]
    token: str
    parts: list[Part] = field(default_factory=list)
    deletes: list[Part] = field(default_factory=list)
    count: int | None = None
    watermark: datetime | None = None
    state: State | None = None

    @property
    def run_id(self) -> str:
        """The run that the rows belong to."""
        return str(self.marks[RUN_ID])

    def _uri(self, kind: str, number: int = 0) -> str:
        folder = manifest.folder(self.snapshot.source, self.contract.table, self.run_id)
        return f"{folder}/{kind}-{number:05}-{self.token}.parquet"

    def jobs(self, connection: Connection[Any], pace: Pace) -> list[Job]:
        """What is to be read, in pieces that may be read at the same time."""
        found = [Job(0, self._ask_watermark)] if self.contract.cursor else []
        if self.found.increment is None:
            return [*found, *self._chunk_jobs(connection, pace)]
        return [*found, Job(self.table.bytes_estimate // 8, self._ask_count), Job(1, self._read_changes)]

    def _chunk_jobs(self, connection: Connection[Any], pace: Pace) -> list[Job]:
        key = self.table.unique_keys[0] if self.table.unique_keys else ()
        listed = chunks.plan(
            connection, self.moment.server.dialect, self.table.name, key, self.table.row_bytes, pace.chunk_bytes
        )
        finished: dict[str, Part] = {}
        is_kept = len(listed) > 1
        if is_kept:
            listed = checkpoint.write_plan(self.snapshot.source, self.contract, self.run_id, listed)
            finished = checkpoint.finished(self.snapshot.source, self.contract, self.run_id)

        def job(chunk: Chunk) -> Callable[[Connection[Any]], int]:
            return lambda connection: self._read_chunk(connection, chunk, is_kept, finished.get(chunk.condition))

        return [Job(self.table.bytes_estimate // len(listed), job(chunk)) for chunk in listed]

    def _read_chunk(self, connection: Connection[Any], chunk: Chunk, is_kept: bool, earlier: Part | None) -> int:
        if earlier and checkpoint.holds(connection, self.contract, earlier):
            self.parts += [earlier] if earlier.rows else []
            return 0
        stream = reader.stream(connection, self.contract, chunk.condition, hashes=True)
        with reader.refusals(self.contract.table):
            part = landing.write_stream(
                self._uri("part", chunk.number), self.contract.raw_schema, self._marks(READ), stream
            )
        part = replace(part, condition=chunk.condition, nulled=reader.nulled(self.contract, stream))
        self.parts += [part] if part.rows else []
        if is_kept:
            checkpoint.write(self.contract, part)
            faultpoints.reach("extract.between_chunks")
        return int(stream.stats.bytes)

    def _read_changes(self, connection: Connection[Any]) -> int:
        """Rows that changed, less those that the lake has, and the keys that are gone."""
        increment = self.found.increment
        assert increment
        taken: Counter[str] = Counter()
        size = 0

        def rows(piece: Piece) -> Iterator[pa.RecordBatch]:
            nonlocal size
            stream = reader.stream(connection, self.contract, piece.condition)
            # Batch by batch and not as a C stream, whose consumer would see the reader's errors as its own.
            read = (pa.record_batch(batch) for batch in stream)
            yield from overlap.unknown(read, piece.known()) if piece.known else read
            taken.update(reader.nulled(self.contract, stream))
            size += stream.stats.bytes

        pieces, again = (
            (batch for one in listed for batch in rows(one)) for listed in (increment.pieces, increment.again)
        )
        batches = overlap.followed(pieces, again, self.contract.key) if increment.again else pieces
        with reader.refusals(self.contract.table):
            part = landing.write_batches(self._uri("part"), self.contract.raw_schema, self._marks(READ), batches)
        self.parts += [replace(part, nulled=dict(taken))] if part else []
        self._land_deletes(increment.deleted)
        return size

    def _land_deletes(self, keys: pa.Table) -> None:
        """Write the keys that are gone as landing rows: the key, the marks, and nothing else."""
        schema = self.contract.read_schema
        empty = {name: pa.nulls(keys.num_rows, schema.field(name).type) for name in schema.names}
        rows = pa.table({**empty, **{name: keys[name] for name in self.contract.key}}, schema=schema)
        part = landing.write_batches(
            self._uri("deletes"), self.contract.raw_schema, self._marks(DELETE), rows.to_batches()
        )
        self.deletes += [part] if part else []

    def _marks(self, operation: str) -> dict[str, Any]:
        return {**self.marks, OPERATION: operation}

    def _ask_count(self, connection: Connection[Any]) -> int:
        found = client.fetch(connection, f"SELECT COUNT(*) AS n FROM {quote(self.table.name)}")
        self.count = int(found[0]["n"])
        return 0

    def _ask_watermark(self, connection: Connection[Any]) -> int:
        """Greatest cursor, capped at the snapshot's instant: one row of the future must not hide later ones.

        The client gives a zero date, which is the greatest where there is no other, as text.
        """
        assert self.contract.cursor
        cursor = quote(self.contract.column_in_source(self.contract.cursor))
        high = client.fetch(connection, f"SELECT MAX({cursor}) AS high FROM {quote(self.table.name)}")[0]["high"]
        is_date = isinstance(high, datetime)
        self.watermark = min(high.replace(tzinfo=UTC), self.snapshot.instant) if is_date else None
        return 0

    def close(self, connection: Connection[Any]) -> int:
        """Note what the next increment must know. After everything else, for it needs the watermark."""
        self.state = increments.state_after(connection, self.contract, self.moment, self.found, self.watermark)
        return 0

    def manifest(self) -> Manifest:
        """What was found."""
        assert self.state
        result = Manifest(
            table=self.contract.table,
            run_id=self.run_id,
            mode="full" if self.found.increment is None else "increment",
            snapshot=self.snapshot,
            # Every row of a full read was read exactly once, in the same view.
            source_rows=sum(part.rows for part in self.parts) if self.count is None else self.count,
            watermark=self.watermark,
            parts=sorted(self.parts, key=lambda part: part.uri),
            deletes=self.deletes,
            way=self.found.plan.way,
            reason=self.found.plan.reason,
            state=self.state.to_json(),
        )
        # Of hundreds of tables most are as they were, and say nothing.
        level = logging.INFO if result.rows or result.deleted else logging.DEBUG
        with logs.about(table=result.table):
            log.log(
                level, "%s: %s rows (%s), %s in the source", result.table, result.rows, result.mode, result.source_rows
            )
        return result
