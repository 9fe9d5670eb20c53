"""The command behind `make bench-maintenance`: a table after many increments and then maintenance, beside a full load.

    python -m benchmarks.maintenance --rows 200000 --increments 300

Needs a platform of its own with an object store, a catalog and Spark (`lake up minio nessie spark`), and a lake in
which nothing was published. Each increment is a run on a branch of its own that changes some rows, which are merged as
in every run, and is published with a receipt; the receipts are dated hours or days apart. Then `lake.maintenance`
does its work, and the same rows are loaded whole into another table. Compared are the bytes that main refers to and the
seconds of one query over ``cleaned``, in turns. Every receipt that is kept must show the sum to the cent that it showed
when it was published, or the benchmark fails. Writes ``benchmarks/out/maintenance.json``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import pyarrow as pa
import typer
from rich.console import Console

from benchmarks import command
from lake.contracts import EXTRACTED_AT, OPERATION, READ, RUN_ID, Contract
from lake.errors import AuditError, LakeError
from lake.extract.landing import write_batches
from lake.layers import raw
from lake.layers.work import Landed, Work
from lake.ledger import publish, receipts
from lake.ledger.receipts import Receipt
from lake.maintenance import collect, compact
from lake.platform import catalog, storage
from lake.platform.catalog import CATALOG, MAIN
from lake.run import Run, open_run
from spark_jobs.cleaned import clean
from spark_jobs.session import connect

OUT = Path(__file__).resolve().parent / "out" / "maintenance.json"
SOURCE, TABLE, WHOLE = "bench_maintenance", "bench_orders", "bench_orders_whole"
TEXTS = 5
COMMON = {"description": "x", "owner": "x", "grain": "x", "cursor": "at", "deletes": "keys"}
KEY, INSTANT = {"type": "bigint", "nullable": False}, {"type": "datetime(6)", "nullable": False}
COLUMNS = {"k": KEY, "price": {"type": "decimal(12,2)", "nullable": False}, "at": INSTANT}
COLUMNS |= {f"t{number}": {"type": "varchar(40)", "nullable": False} for number in range(TEXTS)}
AFTER_GRACE = timedelta(hours=25)
console = Console()


def contract(table: str) -> Contract:
    """Of a table with a price and some texts, whose history is kept."""
    return Contract.model_validate({**COMMON, "table": table, "key": ["k"], "columns": COLUMNS, "history": True})


def cents(key: int, seed: int) -> int:
    """The price of a row."""
    return (key * 31 + seed) % 100_000


def rows(described: Contract, run_id: str, keys: range, seed: int, at: datetime) -> pa.Table:
    """Rows with some keys; the seed decides what is in them."""
    schema = described.raw_schema
    values: dict[str, Any] = {name: pa.nulls(len(keys)) for name in schema.names}
    values |= {f"t{n}": pa.array([f"{key * 7919 + seed * 104729 + n:x}" for key in keys]) for n in range(TEXTS)}
    values["k"] = pa.array(keys, pa.int64())
    values["price"] = pa.array([Decimal(cents(key, seed)) / 100 for key in keys])
    marks = {"at": at, RUN_ID: run_id, EXTRACTED_AT: at, OPERATION: READ}
    values |= {name: pa.repeat(pa.scalar(value, schema.field(name).type), len(keys)) for name, value in marks.items()}
    return pa.table({name: values[name] for name in schema.names}).cast(schema)


def take_in(spark: Any, described: Contract, run: Run, data: pa.Table, at: datetime, full: bool) -> None:
    """Land, register and clean rows on a run's branch."""
    table = described.table
    uri = f"{storage.LANDING}/{SOURCE}/{table}/run={run.run_id}/part-00000.parquet"
    write_batches(uri, described.raw_schema, {}, data.to_batches())
    raw.open_catalog(run.branch).create_table_if_not_exists(("raw", table), described.raw_schema).add_files([uri])
    landed = {table: Landed(data.num_rows, 0, full, at, files=(uri,))}
    clean(spark, run, [table], {table: described}, Work(landed, waiting=set()))


def publish_increments(spark: Any, size: int, increments: int, apart: timedelta) -> dict[str, Decimal]:
    """A full load and then increments, each published with a receipt of its own time; the sum of each, by run."""
    described, sums, share = contract(TABLE), {}, max(size // increments, 1)
    prices: dict[int, int] = {}
    raw.prepare(MAIN)
    for number in range(increments + 1):
        at = datetime.now(UTC).replace(microsecond=0) - (increments - number) * apart
        run = open_run(f"{SOURCE}_{number}")
        first = (number - 1) * share % size
        keys = range(first, first + share) if number else range(size)
        take_in(spark, described, run, rows(described, run.run_id, keys, number, at), at, full=not number)
        receipt = publish.publish(run, Receipt(run.run_id, "", at.isoformat(), "", "", "", ""))
        receipts.write(replace(receipt, published_at=at.isoformat()))
        # Not read from the lake: to read what was never rewritten takes longer with every increment.
        prices |= {key: cents(key, number) for key in keys}
        sums[run.run_id] = Decimal(sum(prices.values())) / 100
        if number % 20 == 0:
            console.print(f"{number} increments published")
    return sums


def total(reference: str) -> Decimal:
    """The sum of all prices at a reference, read without an engine."""
    raw.open_catalog.cache_clear()
    found = raw.find(reference, "cleaned", TABLE)
    assert found is not None
    answer: Decimal = pa.compute.sum(found.scan(selected_fields=("price",)).to_arrow()["price"]).as_py()
    return answer


def load_whole(spark: Any, size: int) -> None:
    """The rows as they are now, loaded whole into another table."""
    described, at = contract(WHOLE), datetime.now(UTC).replace(microsecond=0)
    run = open_run(f"{SOURCE}_whole")
    found = raw.find(MAIN, "cleaned", TABLE)
    assert found is not None
    held = found.scan().to_arrow().sort_by("k")
    data = rows(described, run.run_id, range(size), 0, at)
    kept = {name: held[name].cast(data.schema.field(name).type) for name in COLUMNS}
    take_in(spark, described, run, pa.table({n: kept.get(n, data[n]) for n in data.column_names}), at, full=True)
    publish.publish(run, Receipt(run.run_id, "", at.isoformat(), "", "", "", ""))


def size_of(table: str) -> int:
    """Bytes of the files that main refers to of a table, in all layers."""
    found = 0
    for layer in ("raw", "cleaned", "history"):
        held = raw.find(MAIN, layer, table)
        assert held is not None
        found += sum(held.inspect.files()["file_size_in_bytes"].to_pylist())
    return found


def stored() -> int:
    """Bytes of the bucket of the lake and of landing."""
    return sum(each.bytes for bucket in (storage.WAREHOUSE, storage.LANDING) for each in storage.listed(bucket))


def read_seconds(spark: Any, table: str) -> float:
    """Seconds of one query over all of a table's rows."""
    begun = time.monotonic()
    spark.sql(f"SELECT sum(price), max(t0), count(*) FROM {CATALOG}.cleaned.{table}").collect()
    return time.monotonic() - begun


def in_turns(rounds: int, *measured: Callable[[], float]) -> list[float]:
    """Medians, after one round that does not count."""
    found = [[each() for each in measured] for _ in range(rounds + 1)][1:]
    return [median(column) for column in zip(*found, strict=True)]


def bench(
    size: Annotated[int, typer.Option("--rows", min=1_000, help="Rows of the table.")] = 200_000,
    increments: Annotated[int, typer.Option(min=5)] = 300,
    hours: Annotated[float, typer.Option(help="Between two receipts.")] = 24.0,
    rounds: Annotated[int, typer.Option(min=1, help="Reads of each table.")] = 7,
) -> None:
    """Measure bytes and reads after increments and maintenance, beside those after a full load."""
    if receipts.run_ids():
        raise LakeError("this lake holds published runs", "give the benchmark one of its own: another LAKE_HOME")
    spark = connect()
    try:
        for key, value in catalog.spark_configuration(CATALOG, MAIN).items():
            spark.conf.set(key, value)
        sums = publish_increments(spark, size, increments, timedelta(hours=hours))
        told: dict[str, Any] = {"rows": size, "increments": increments, "hours_apart": hours}
        told["before"] = {
            "bytes": size_of(TABLE),
            "stored": stored(),
            "read_s": in_turns(rounds, lambda: read_seconds(spark, TABLE))[0],
        }
        begun = time.monotonic()
        now = datetime.now(UTC) + AFTER_GRACE
        compact.compact(spark, now + timedelta(days=32))
        told["compact_s"], begun = time.monotonic() - begun, time.monotonic()
        collected = collect.collect(now)
        told["collect_s"] = time.monotonic() - begun
        told["collected"] = {
            "gone": [each.to_json() for each in collected.gone],
            "held": [each.to_json() for each in collected.held],
        }
        told["receipts"] = check_receipts(sums)
        told["after"] = {"bytes": size_of(TABLE), "stored": stored()}
        load_whole(spark, size)
        seconds = in_turns(rounds, lambda: read_seconds(spark, TABLE), lambda: read_seconds(spark, WHOLE))
    finally:
        spark.stop()
    told["after"]["read_s"], told["whole"] = seconds[0], {"bytes": size_of(WHOLE), "read_s": seconds[1]}
    told["ratios"] = {what: told["after"][what] / told["whole"][what] for what in ("bytes", "read_s")}
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(told, indent=1))
    console.print_json(data=told)


def check_receipts(sums: dict[str, Decimal]) -> int:
    """How many receipts are kept, each of which shows what it showed.

    Raises:
        AuditError: one does not.
    """
    kept = receipts.receipts()
    for receipt in kept:
        if (now := total(f"{MAIN}@{receipt.lake_commit}")) != sums[receipt.run_id]:
            raise AuditError(f"receipt {receipt.run_id} showed {sums[receipt.run_id]} and shows {now} now", "a defect")
    return len(kept)


if __name__ == "__main__":
    command.run(bench)
