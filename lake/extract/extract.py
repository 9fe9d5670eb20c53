"""MySQL to Parquet: all tables of a run as of one snapshot, over several connections.

A run's extraction may be tried several times, even at once by a try that was thought dead. Each try writes files of its
own names, and the first to write the run's manifest is the one that counts (`lake.extract.manifest`). Chunks that an
earlier try has finished are not read again (`lake.extract.checkpoint`).
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from pymysql.connections import Connection
from tenacity import before_sleep_log, retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from lake import faultpoints
from lake.contracts import EXTRACTED_AT, OPERATION, RUN_ID, Contract
from lake.contracts.source_schema import SourceTable
from lake.errors import SourceLostError
from lake.extract import checkpoint, chunks, landing, manifest, overlap, reader, schema, snapshot, source
from lake.extract.chunks import Chunk, literal, quote
from lake.extract.manifest import Manifest, Mode, Part
from lake.extract.pace import Pace
from lake.extract.snapshot import Snapshot
from lake.extract.workers import Job, work_off
from lake.settings import settings
from lake.sources import Source

log = logging.getLogger(__name__)

READ, DELETE = "read", "delete"
TRIES = 3


@dataclass(frozen=True)
class Request:
    """What to read of one table; without a watermark, all of it.

    Attributes:
        known: rows of the lake whose cursor lies after `since`; those are not landed again.
    """

    contract: Contract
    watermark: datetime | None = None
    known: pa.Table | None = None

    @property
    def mode(self) -> Mode:
        """`increment` where the cursor says what changed since the watermark."""
        return "increment" if self.contract.cursor and self.watermark else "full"

    @property
    def since(self) -> datetime | None:
        """Where an increment begins: as far behind the watermark as a commit may come late."""
        return since(self.contract, self.watermark) if self.watermark else None


def since(contract: Contract, watermark: datetime) -> datetime:
    """The cursor value, UTC, after which an increment reads."""
    return watermark.astimezone(UTC) - timedelta(seconds=contract.lateness_seconds)


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
        read = _read(origin, requests, run_id)
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
    pace = Pace(limit << 20 if limit else None)
    with snapshot.consistent(origin, config.source_connections) as view:
        first = view.connections[0]
        source.check_replica(first, origin)
        tables = schema.read_tables(first, origin)
        contracts = {request.contract.table: request.contract for request in requests}
        for warning in schema.check(contracts, tables):
            log.warning("%s: it is not extracted", warning)
        marks = {RUN_ID: run_id, EXTRACTED_AT: view.snapshot.instant, OPERATION: READ}
        begun = [
            _Table(request, tables[request.contract.name_in_source], view.snapshot, marks, secrets.token_hex(4))
            for request in requests
        ]
        jobs = [job for table in begun for job in table.jobs(first, pace)]
        work_off(origin, jobs, view.connections, pace)
        return [table.manifest() for table in begun]


@dataclass
class _Table:
    """The reading of one table: the jobs that it takes, and what they found."""

    request: Request
    table: SourceTable
    snapshot: Snapshot
    marks: dict[str, Any]
    token: str
    parts: list[Part] = field(default_factory=list)
    keys: list[Part] = field(default_factory=list)
    count: int | None = None
    watermark: datetime | None = None

    @property
    def contract(self) -> Contract:
        return self.request.contract

    @property
    def run_id(self) -> str:
        return str(self.marks[RUN_ID])

    def _uri(self, kind: str, number: int = 0) -> str:
        folder = manifest.folder(self.snapshot.source, self.contract.table, self.run_id)
        return f"{folder}/{kind}-{number:05}-{self.token}.parquet"

    def jobs(self, connection: Connection[Any], pace: Pace) -> list[Job]:
        found = [Job(0, self._ask_watermark)] if self.contract.cursor else []
        if self.request.mode == "full":
            return [*found, *self._chunk_jobs(connection, pace)]
        found += [Job(self.table.bytes_estimate // 8, self._ask_count), Job(1, self._read_changed)]
        if self.contract.deletes == "keys":
            found.append(Job(self.table.bytes_estimate // 4, self._read_keys))
        return found

    def _chunk_jobs(self, connection: Connection[Any], pace: Pace) -> list[Job]:
        key = self.table.unique_keys[0] if self.table.unique_keys else ()
        listed = chunks.plan(connection, self.table.name, key, self.table.row_bytes, pace.chunk_bytes)
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
            self.parts.append(earlier)
            return 0
        stream = reader.stream(connection, self.contract, chunk.condition, hashes=True)
        with reader.refusals(self.contract.table):
            part = landing.write_stream(self._uri("part", chunk.number), self.contract.raw_schema, self.marks, stream)
        part = replace(part, condition=chunk.condition, nulled=reader.nulled(self.contract, stream))
        self.parts += [part] if part.rows else []
        if is_kept:
            checkpoint.write(self.contract, part)
            faultpoints.reach("extract.between_chunks")
        return int(stream.stats.bytes)

    def _read_changed(self, connection: Connection[Any]) -> int:
        """Rows whose cursor moved, less those that the lake has."""
        assert self.contract.cursor
        assert self.request.since
        cursor = quote(self.contract.column_in_source(self.contract.cursor))
        after = literal(connection, self.request.since.replace(tzinfo=None))
        stream = reader.stream(connection, self.contract, f"{cursor} > {after}")
        with reader.refusals(self.contract.table):
            # Batch by batch and not as a C stream, whose consumer would see the reader's errors as its own.
            rows: Iterable[pa.RecordBatch] = (pa.record_batch(batch) for batch in stream)
            if self.request.known is not None:
                rows = overlap.unknown(rows, self.request.known)
            part = landing.write_batches(self._uri("part"), self.contract.raw_schema, self.marks, rows)
        self.parts += [replace(part, nulled=reader.nulled(self.contract, stream))] if part else []
        return int(stream.stats.bytes)

    def _read_keys(self, connection: Connection[Any]) -> int:
        names = list(self.contract.key)
        stream = reader.stream(connection, self.contract, columns=names)
        target = pa.schema([self.contract.schema.field(name) for name in names])
        with reader.refusals(self.contract.table):
            self.keys.append(landing.write_stream(self._uri("keys"), target, {}, stream))
        return int(stream.stats.bytes)

    def _ask_count(self, connection: Connection[Any]) -> int:
        found = source.fetch(connection, f"SELECT COUNT(*) AS n FROM {quote(self.table.name)}")
        self.count = int(found[0]["n"])
        return 0

    def _ask_watermark(self, connection: Connection[Any]) -> int:
        """Greatest cursor, capped at the snapshot's instant: one row of the future must not hide later ones.

        The client gives a zero date, which is the greatest where there is no other, as text.
        """
        assert self.contract.cursor
        cursor = quote(self.contract.column_in_source(self.contract.cursor))
        high = source.fetch(connection, f"SELECT MAX({cursor}) AS high FROM {quote(self.table.name)}")[0]["high"]
        is_date = isinstance(high, datetime)
        self.watermark = min(high.replace(tzinfo=UTC), self.snapshot.instant) if is_date else None
        return 0

    def manifest(self) -> Manifest:
        result = Manifest(
            table=self.contract.table,
            run_id=self.run_id,
            mode=self.request.mode,
            snapshot=self.snapshot,
            # Every row of a full read was read exactly once, in the same view.
            source_rows=sum(part.rows for part in self.parts) if self.count is None else self.count,
            watermark=self.watermark,
            parts=sorted(self.parts, key=lambda part: part.uri),
            keys=self.keys,
        )
        log.info("%s: %s rows (%s), %s in the source", result.table, result.rows, result.mode, result.source_rows)
        return result
