"""MySQL to Parquet: all tables of a run as of one snapshot."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import mysql_arrow
import pyarrow as pa
import pyarrow.parquet as pq
from pymysql.connections import Connection

from lake import storage
from lake.contracts import EXTRACTED_AT, OPERATION, RUN_ID, Contract
from lake.extract import chunks, manifest, overlap, reader, schema, source
from lake.extract.chunks import Chunk, quote
from lake.extract.manifest import Manifest, Mode, Part

log = logging.getLogger(__name__)

READ, DELETE = "read", "delete"


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


def extract(requests: list[Request], run_id: str) -> list[Manifest]:
    """Land every requested table as of one consistent snapshot.

    Args:
        run_id: the run that the rows belong to; what an earlier, unpublished try of it landed is deleted first.

    Returns:
        One manifest a table, in the order of the requests.

    Raises:
        ContractError: a contract does not fit the source; nothing was read.
        SourceError: the source is away, refuses us or holds a value that the contract's type cannot.
    """
    with source.connected() as connection:
        source.check_replica(connection)
        tables = schema.read_tables(connection)
        for warning in schema.check({request.contract.table: request.contract for request in requests}, tables):
            log.warning("%s: it is not extracted", warning)
        with source.snapshot(connection) as snapshot:
            log.info("snapshot of %s at %s, position %s", snapshot.source, snapshot.instant, snapshot.position)
            return [
                _table(connection, request, snapshot, run_id, tables[request.contract.name_in_source].row_estimate)
                for request in requests
            ]


def _table(
    connection: Connection[Any], request: Request, snapshot: source.Snapshot, run_id: str, row_estimate: int
) -> Manifest:
    contract = request.contract
    folder = manifest.folder(snapshot.source, contract.table, run_id)
    storage.delete_prefix(folder)
    marks = {RUN_ID: run_id, EXTRACTED_AT: snapshot.instant, OPERATION: READ}
    is_full = request.mode == "full"
    ranges = chunks.by_key(connection, contract, row_estimate) if is_full else [_changed_since(request)]
    parts = []
    nulled: Counter[str] = Counter()
    for chunk in ranges:
        uri = f"{folder}/part-{chunk.number:05}.parquet"
        with reader.refusals(contract.table):
            stream = reader.stream(connection, contract, chunk)
            if request.known is None:
                part = write_stream(uri, contract.raw_schema, marks, stream)
            else:
                # Batch by batch and not as a C stream, whose consumer would see the reader's errors as its own.
                fresh = overlap.unknown((pa.record_batch(batch) for batch in stream), request.known)
                part = write_part(uri, contract.raw_schema, marks, fresh)
            nulled.update(reader.nulled(contract, stream))
        if part:
            parts.append(part)
    keys = []
    if contract.deletes == "keys" and request.mode == "increment":
        key_schema = pa.schema([contract.schema.field(name) for name in contract.key])
        with reader.refusals(contract.table):
            every_key = reader.stream(connection, contract, Chunk(0), list(contract.key))
            keys = [part for part in [write_stream(f"{folder}/keys-00000.parquet", key_schema, {}, every_key)] if part]
    result = Manifest(
        table=contract.table,
        run_id=run_id,
        mode=request.mode,
        snapshot=snapshot,
        source_rows=_count(connection, contract),
        watermark=_watermark(connection, contract, snapshot.instant),
        parts=parts,
        keys=keys,
        nulled=dict(nulled),
    )
    manifest.write(result)
    log.info("%s: %s rows read (%s), %s in the source", contract.table, result.rows, result.mode, result.source_rows)
    return result


def _changed_since(request: Request) -> Chunk:
    """Rows whose cursor moved."""
    assert request.contract.cursor
    assert request.since
    return Chunk(0, f"{quote(request.contract.column_in_source(request.contract.cursor))} > %s", (request.since.replace(tzinfo=None),))


def _count(connection: Connection[Any], contract: Contract) -> int:
    rows: list[Any] = source.fetch(connection, f"SELECT COUNT(*) AS n FROM {quote(contract.name_in_source)}")
    return int(rows[0]["n"])


def _watermark(connection: Connection[Any], contract: Contract, instant: datetime) -> datetime | None:
    """Greatest cursor in the snapshot. Capped at its instant: one row dated in the future must not hide later ones."""
    if not contract.cursor:
        return None
    cursor = quote(contract.column_in_source(contract.cursor))
    rows = source.fetch(connection, f"SELECT MAX({cursor}) AS high FROM {quote(contract.name_in_source)}")
    high: datetime | None = rows[0]["high"]
    return min(high.replace(tzinfo=UTC), instant) if high else None


def write_stream(uri: str, target: pa.Schema, marks: dict[str, Any], rows: mysql_arrow.Stream) -> Part | None:
    """Write one Parquet file straight from the wire; no file is left for no rows.

    Args:
        target: schema of the file; the columns named in ``marks`` are constant.
    """
    path, store = storage.path_of(uri), storage.filesystem()
    constants = {name: pa.array([value], target.field(name).type) for name, value in marks.items()}
    with store.open_output_stream(path) as output:
        count = rows.write_parquet(output, constants=constants)
    if not count:
        store.delete_file(path)
        return None
    return Part(uri, count, store.get_file_info(path).size)


def write_part(uri: str, target: pa.Schema, marks: dict[str, Any], batches: Iterable[pa.RecordBatch]) -> Part | None:
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
    with pq.ParquetWriter(
        path, target, filesystem=storage.filesystem(), compression="zstd", use_dictionary=dictionary
    ) as writer:
        for group in _row_groups(chain([first], stream)):
            table = pa.Table.from_batches(group)
            for name, value in marks.items():
                table = table.append_column(
                    target.field(name), pa.repeat(pa.scalar(value, target.field(name).type), table.num_rows)
                )
            writer.write_table(table.select(target.names))
            rows += table.num_rows
    return Part(uri, rows, storage.filesystem().get_file_info(path).size)


ROWS_PER_GROUP = 262_144


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
