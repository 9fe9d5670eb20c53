"""The command behind `make bench-parity`: what a sweep costs, beside one plain statement that sums the same hash.

    python -m benchmarks.parity mysql://root@127.0.0.1:3306/test --rows 10000000

The table is extracted and taken in on a branch of its own; the platform's object store and catalog have to be up. Then
take turns: the statement, over as many connections as the sweep has, each with its share of the key; and a clean sweep.
After that 1, 100 and 10,000 rows are changed without the binlog, and each sweep has to name exactly these. Prints
medians and writes ``benchmarks/out/parity.json``; a wrong answer is an error.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import pyarrow.parquet as pq
import typer
from rich.console import Console

from benchmarks.row_hash import COLUMNS, TABLE, connect, fill
from lake.changes import hashes
from lake.contracts import Contract
from lake.errors import AuditError
from lake.extract.extract import Request, extract
from lake.extract.manifest import Manifest
from lake.layers import raw
from lake.layers.held import HeldRows
from lake.ledger import parity
from lake.ledger.parity import Finding
from lake.ledger.parity_subjects import Subject
from lake.platform import catalog, storage
from lake.settings import settings
from lake.source import client, sources
from lake.source.sources import Source

OUT = Path(__file__).resolve().parent / "out" / "parity.json"
DRIFTED = (1, 100, 10_000)
console = Console()


def main(
    url: Annotated[str, typer.Argument(help="A database, by an administrator: mysql://user:password@host:port/name.")],
    rows: Annotated[int, typer.Option(min=1_000)] = 10_000_000,
    rounds: Annotated[int, typer.Option(min=1)] = 3,
) -> None:
    """Measure sweeps of one table."""
    _told("table filled", lambda: fill(url, rows))
    origin = sources.from_url(url, f"bench_parity_{uuid.uuid4().hex[:8]}")
    result: dict[str, Any] = {"rows": rows, "connections": settings().source_connections, "statement": [], "sweep": []}
    with _published(origin) as subject:
        for _ in range(rounds):
            result["statement"].append(_told("statement", lambda: _sum(origin, subject.contract, rows)))
            result["sweep"].append(_told("clean sweep", lambda: _swept(origin, subject, 0)))
        result["ratio"] = median(result["sweep"]) / median(result["statement"])
        result["drifted"] = {}
        for count in DRIFTED:
            if count * 10 <= rows:
                with _drift(url, rows // count, count):
                    result["drifted"][str(count)] = _told(f"{count:,} drifted", partial(_swept, origin, subject, count))
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(result, indent=1))
    console.print(f"{rows:,} rows over {result['connections']} connections, medians of {rounds}")
    console.print(f"statement {median(result['statement']):.2f} s, clean sweep {result['ratio']:.2f} times as long")


def _told(name: str, work: Callable[[], object]) -> float:
    """The seconds of some work, told at once: ten million rows take long."""
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    console.print(f"{name:>14} {seconds:8.2f} s")
    return seconds


@contextmanager
def _published(origin: Source) -> Iterator[Subject]:
    """The table in the lake, as a run would have it, on a branch that is thrown away."""
    kinds = {name: {"type": mysql.removesuffix(" PRIMARY KEY").lower()} for name, mysql in COLUMNS.items()}
    described = {"description": "x", "owner": "x", "grain": "x", "deletes": "keys", "key": ["id"], "columns": kinds}
    described |= {"source": origin.name, "table": origin.name, "source_table": TABLE}
    kinds["id"]["nullable"] = False  # type: ignore[assignment]
    contract = Contract.model_validate(described)
    raw.prepare(catalog.MAIN)
    catalog.create_branch(origin.name)
    try:
        (manifest,) = extract(origin, [Request(contract)], origin.name)
        _take_in(contract, manifest, origin.name)
        yield Subject(contract, manifest, HeldRows(origin.name, contract))
    finally:
        catalog.delete_branch(origin.name)
        storage.delete_prefix(f"{storage.LANDING}/{origin.name}")


def _take_in(contract: Contract, manifest: Manifest, branch: str) -> None:
    table = raw.open_catalog(branch).create_table(("cleaned", contract.table), contract.schema)
    for part in manifest.parts:
        landed = pq.read_table(
            storage.path_of(part.uri), filesystem=storage.filesystem(), columns=contract.schema.names
        )
        table.append(landed.cast(contract.schema))


def _sum(origin: Source, contract: Contract, rows: int) -> None:
    """The statement, on each connection over its share of the key."""
    number = settings().source_connections
    statement = f"SELECT {hashes.sum_in_source(contract)} AS h FROM {TABLE} WHERE id >= %s AND id < %s"

    def share(place: int) -> None:
        with client.connected(origin) as connection:
            client.fetch(connection, statement, (rows * place // number, rows * (place + 1) // number))

    with ThreadPoolExecutor(number) as pool:
        list(pool.map(share, range(number)))


def _swept(origin: Source, subject: Subject, expected: int) -> Finding:
    (found,) = parity.sweep(origin, [subject])
    if (found.drift.rows, found.drift.changed.num_rows, found.error) != (expected, expected, ""):
        raise AuditError(f"{expected} rows were changed, and the sweep found {found.drift.rows} {found.error}")
    return found


@contextmanager
def _drift(url: str, every: int, count: int) -> Iterator[None]:
    """Change some rows, spread over the key, without the binlog; and back again."""
    which = f"id % {every} = 0 AND id < {every * count}"
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION sql_log_bin = 0")
        cursor.execute(f"UPDATE {TABLE} SET amount = amount + 1 WHERE {which}")
        try:
            yield
        finally:
            cursor.execute(f"UPDATE {TABLE} SET amount = amount - 1 WHERE {which}")


if __name__ == "__main__":
    typer.run(main)
