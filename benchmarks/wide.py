"""The command behind `make bench-wide`: what an increment costs a table of many columns, beside a narrow one's.

Every table is taken in, and then gets the same increments in turns with the others: some rows changed, a thousand rows
waiting in quarantine, a parent deleted. Prints seconds and their ratios, and the memory that Spark's objects take
before and after; writes ``benchmarks/out/wide.json``. Only Spark's part is measured, on a branch of its own, without
the source.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import pyarrow as pa
import typer
from rich.console import Console
from rich.table import Table

from benchmarks import command
from lake.contracts import DELETE, EXTRACTED_AT, OPERATION, READ, RUN_ID, Contract
from lake.errors import LakeError, ServiceError
from lake.extract.landing import write_batches
from lake.layers import raw
from lake.layers.work import Landed, Work
from lake.platform import catalog, storage
from lake.run import Run
from lake.runtime import supervise
from lake.runtime.artifacts import PypiArtifact, artifacts
from spark_jobs.cleaned import clean
from spark_jobs.session import connect

OUT = Path(__file__).resolve().parent / "out" / "wide.json"
SOURCE = "bench_wide"
"""Name of the folder in the landing zone."""
ROWS, REFUSED, CHANGED, PARENTS = 5_000, 1_000, 500, 100
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
MIB = 1024**2
console = Console()

COMMON = {"description": "x", "owner": "x", "grain": "x", "cursor": "at", "deletes": "keys"}
KEY, INSTANT = {"type": "bigint", "nullable": False}, {"type": "datetime(6)", "nullable": False}
FILLED = {"type": "int", "nullable": False}
PARENT = {"type": "bigint", "references": "parents.p"}


@dataclass
class Result:
    """What was measured: seconds of each table's increments in the order of the rounds, and bytes in use on Spark's
    heap after a collection."""

    widths: list[int]
    seconds: dict[int, list[float]] = field(default_factory=dict)
    heap_bytes: dict[str, int] = field(default_factory=dict)

    def medians(self) -> dict[int, float]:
        """Of all rounds but the first, in which Spark compiles."""
        return {width: median(self.seconds[width][1:] or self.seconds[width]) for width in self.widths}

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        medians = self.medians()
        narrow = medians[self.widths[0]]
        return {
            "rows": ROWS,
            "refused": REFUSED,
            "changed": CHANGED,
            "seconds": {str(width): self.seconds[width] for width in self.widths},
            "medians": {str(width): medians[width] for width in self.widths},
            "ratios": {str(width): medians[width] / narrow for width in self.widths},
            "heap_bytes": self.heap_bytes,
        }


@dataclass(frozen=True)
class BranchRun(Run):
    """A run on the benchmark's one branch."""

    @property
    def branch(self) -> str:
        return SOURCE


class Wide:
    """Two tables on the benchmark's branch: one of a given width, and the parents that it points at."""

    def __init__(self, spark: Any, width: int) -> None:
        filled = {f"c{i}": FILLED for i in range(width - 3)}
        wide = {"k": KEY, "p": PARENT, **filled, "at": INSTANT}
        self.spark = spark
        self.width = width
        self.parents, self.table = f"parents_{width}", f"wide_{width}"
        self.contracts = {
            self.parents: self._contract(self.parents, ["p"], {"p": KEY, "at": INSTANT}),
            self.table: self._contract(
                self.table, ["k"], wide | {"p": {**PARENT, "references": f"{self.parents}.p"}}, history=True
            ),
        }

    def _contract(self, table: str, key: list[str], columns: dict[str, Any], **more: Any) -> Contract:
        return Contract.model_validate({**COMMON, "table": table, "key": key, "columns": columns, **more})

    def take_in(self) -> float:
        """The full load; seconds."""
        self._land(0, self.parents, READ, range(PARENTS))
        self._land(0, self.table, READ, range(ROWS), refused=REFUSED)
        return self._clean(0, {self.parents: PARENTS, self.table: ROWS}, {}, full=True)

    def increment(self, number: int) -> float:
        """Take in some changed rows and the end of one parent, with which its children go; seconds."""
        first = REFUSED + number * CHANGED % (ROWS - REFUSED - CHANGED)
        self._land(number, self.parents, DELETE, range(number, number + 1))
        self._land(number, self.table, READ, range(first, first + CHANGED))
        return self._clean(number, {self.table: CHANGED}, {self.parents: 1}, full=False)

    def _clean(self, number: int, read: dict[str, int], deleted: dict[str, int], full: bool) -> float:
        begun, at = time.monotonic(), BEGUN + timedelta(days=number)
        landed = {name: Landed(read.get(name, 0), deleted.get(name, 0), full, at) for name in self.contracts}
        work = Work(landed, waiting={self.table})
        outcomes = clean(self.spark, self._run(number), list(landed), self.contracts, work)
        seconds = time.monotonic() - begun
        (wide,) = [outcome for outcome in outcomes if outcome.table == self.table]
        if wide.refused < REFUSED:
            raise LakeError(f"{self.table}: {wide.refused} rows were refused, and {REFUSED} are wrong")
        return seconds

    def _run(self, number: int) -> Run:
        return BranchRun(f"{SOURCE}_{self.width}_{number}", "")

    def _land(self, number: int, table: str, operation: str, keys: range, refused: int = 0) -> None:
        """Rows of ``raw`` with some keys; the first of them lack a value that may not be missing."""
        schema, run = self.contracts[table].raw_schema, self._run(number)
        at = BEGUN + timedelta(days=number)
        rows = len(keys)
        columns: dict[str, Any] = {name: pa.repeat(pa.scalar(number, pa.int32()), rows) for name in schema.names}
        columns |= {self.contracts[table].key[0]: pa.array(keys, pa.int64())}
        if table == self.table:
            columns["p"] = pa.array([key % PARENTS for key in keys], pa.int64())
            columns["c0"] = pa.array([None if i < refused else number for i in range(rows)], pa.int32())
        columns |= {"at": pa.repeat(pa.scalar(at, schema.field("at").type), rows), "_problems": pa.nulls(rows)}
        marks = {RUN_ID: run.run_id, EXTRACTED_AT: at, OPERATION: operation}
        columns |= {name: pa.repeat(pa.scalar(value, schema.field(name).type), rows) for name, value in marks.items()}
        data = pa.table({name: columns[name] for name in schema.names}).cast(schema)
        uri = f"{storage.LANDING}/{SOURCE}/{table}/run={run.run_id}/part-00000.parquet"
        write_batches(uri, schema, {}, data.to_batches())
        raw.open_catalog(SOURCE).create_table_if_not_exists(("raw", table), schema).add_files([uri])


@contextmanager
def branch() -> Iterator[None]:
    """The benchmark's branch, new, and removed afterwards with all that was landed."""
    raw.prepare(catalog.MAIN)
    catalog.delete_branch(SOURCE)
    catalog.create_branch(SOURCE)
    try:
        yield
    finally:
        catalog.delete_branch(SOURCE)
        storage.delete_prefix(f"{storage.LANDING}/{SOURCE}")


def spark_pid() -> int:
    """The process of Spark's server.

    Raises:
        ServiceError: Spark is no process of this machine's platform, or does not run.
    """
    process = supervise.processes().get("spark")
    if process is None or process.pid is None:
        raise ServiceError("Spark does not run", "start what this needs with `lake up minio nessie spark`")
    return process.pid


def heap_bytes() -> int:
    """What Spark's objects take after a full collection.

    Raises:
        ServiceError: Spark is no process of this machine's platform, or does not run.
    """
    java = artifacts()["jdk21"]
    assert isinstance(java, PypiArtifact)
    jcmd = (java.folder / java.program).with_name("jcmd")
    for question in ("GC.run", "GC.run", "GC.heap_info"):
        command = [str(jcmd), str(spark_pid()), question]
        said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    used = next(word for line in said.splitlines() if "heap" in line for word in [line.split("used ")[1].split("K")[0]])
    return int(used) * 1024


def measure(widths: list[int], rounds: int) -> Result:
    """The increments of all tables in turns, so that what else the machine does falls on all of them alike."""
    result = Result(widths, {width: [] for width in widths})
    with branch():
        spark = connect()
        try:
            tables = [Wide(spark, width) for width in widths]
            for table in tables:
                console.print(f"{table.width} columns taken in: {table.take_in():.1f} s")
            for number in range(1, rounds + 1):
                for table in tables:
                    result.seconds[table.width].append(table.increment(number))
                console.print(f"round {number}: " + ", ".join(f"{result.seconds[width][-1]:.1f} s" for width in widths))
                if number == 1:
                    result.heap_bytes["before"] = heap_bytes()
        finally:
            spark.stop()
        result.heap_bytes["after"] = heap_bytes()
    return result


def print_result(result: Result) -> None:
    """A table for people."""
    told = result.to_json()
    table = Table("columns", "median s", "ratio", title=f"an increment, {ROWS:,} rows, {REFUSED:,} refused", box=None)
    for width in map(str, result.widths):
        table.add_row(width, f"{told['medians'][width]:.1f}", f"{told['ratios'][width]:.2f}")
    console.print(table)
    console.print(
        "Spark's heap: " + ", ".join(f"{when} {size / MIB:,.0f} MiB" for when, size in result.heap_bytes.items())
    )


def bench(
    widths: Annotated[
        list[int], typer.Option(min=5, help="Columns of each table; the first is what is compared to.")
    ] = [5, 60, 500],  # noqa: B006
    rounds: Annotated[int, typer.Option(min=2, help="Increments of each table.")] = 6,
) -> None:
    """Measure tables of different widths side by side on the running platform."""
    spark_pid()
    result = measure(widths, rounds)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(result.to_json(), indent=1))
    print_result(result)


if __name__ == "__main__":
    command.run(bench)
