"""The command behind `make bench-extract`: ours, the floor and every peer on the same table, in turn.

Writes ``benchmarks/out/extract-<server>.json`` and prints it as a table. What is measured and how stands in
docs/benchmarks.md.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import tempfile
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import psutil
import pyarrow as pa
import typer
from rich.console import Console

from benchmarks import command, servers
from benchmarks.extract import compare, tables, truth, ways
from benchmarks.extract.process import RunFailed, measured
from benchmarks.extract.result import Entry, Result
from benchmarks.extract.tables import Table
from benchmarks.extract.ways import Job, Way
from benchmarks.servers import Server
from lake.errors import LakeError
from lake.settings import settings
from lake.steps.start import code_version

OUT = Path(__file__).resolve().parent.parent / "out"
BYTES_PER_ROW = 160
"""Of the main table in InnoDB, its indexes' included, with room to spare."""

PROMOTIONS_WAYS = ("floor binary", "floor text", "decode", "parquet", "parquet, hashes")
console = Console()
if not console.is_terminal:
    console = Console(width=150)  # into a file or a log, where a narrow table would be cut


@contextmanager
def _folder(running: Server) -> Any:
    with tempfile.TemporaryDirectory(dir=running.folder, prefix="out-") as name:
        yield Path(name)


def _run(running: Server, way: Way, folder: Path, names: Sequence[Table], rows: int) -> Any:
    for table in names:
        (folder / f"{table.name}.schema").write_bytes(table.schema.serialize().to_pybytes())
    job = Job(running.url, folder, tuple(table.name for table in names), rows)
    return measured(running, way.command(job), {"EXTRACT_SOURCE": running.url, **way.env})


def _prepare(entries: list[Entry]) -> None:
    """Whatever can be had; why something cannot is kept."""
    for entry in entries:
        try:
            with console.status(f"preparing {entry.way.name}"):
                entry.way.ready()
        except LakeError as error:
            entry.not_measured = str(error)
        if entry.way.name.endswith("MinIO") and not _answers(settings().s3_host, settings().s3_port):
            entry.not_measured = f"no object store answers at {settings().s3_url}: `lake up` starts one"


def _answers(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def _check(running: Server, entries: list[Entry], table: Table, rows: int) -> None:
    """Once for each way: its whole output, every value, against the source."""
    with console.status("reading the source for the comparison"):
        right = truth.read(running, table)
    for entry in entries:
        if not entry.way.is_checked or entry.not_measured:
            continue
        with console.status(f"checking {entry.way.name}"), _folder(running) as folder:
            try:
                _run(running, entry.way, folder, [table], rows)
                entry.main = compare.table(folder / f"{table.name}.parquet", right)
            except (RunFailed, pa.ArrowException, OSError) as error:
                entry.not_measured = getattr(error, "what", None) or str(error)
                console.print(f"{entry.way.name}: {entry.not_measured}", style="yellow", markup=False)
                continue
        errors = [finding.to_json() for finding in entry.main.findings]
        console.print(f"{entry.way.name}: {entry.main.type_errors} columns wrong", errors or "")


def _torture(running: Server, entries: list[Entry]) -> None:
    rights = {table.name: truth.read(running, table) for table in tables.TORTURE}
    for entry in entries:
        if not entry.way.is_checked or entry.not_measured:
            continue
        with console.status(f"torturing {entry.way.name}"), _folder(running) as folder:
            batches = [list(tables.TORTURE)] if entry.way.reads_many else [[table] for table in tables.TORTURE]
            for batch in batches:
                try:
                    _run(running, entry.way, folder, batch, rows=8)
                except RunFailed as error:
                    for table in batch:
                        (folder / f"{table.name}.error").write_text(error.what)
            for table in tables.TORTURE:
                entry.torture[table.name] = _judge(folder, table, rights[table.name])


def _judge(folder: Path, table: Table, right: pa.Table) -> compare.Comparison | str:
    failed, output = folder / f"{table.name}.error", folder / f"{table.name}.parquet"
    if failed.exists():
        return f"fails: {failed.read_text().strip()[-300:]}"
    if not output.is_file() and not list(output.glob("*.parquet")):
        return "fails: it left no output"
    try:
        return compare.table(output, right)
    except (pa.ArrowException, ValueError) as error:
        return f"its output cannot be read: {error}"


def _rounds(running: Server, entries: list[Entry], table: Table, rows: int, rounds: int) -> None:
    """Every way once a round, each round beginning with another one."""
    able = [entry for entry in entries if not entry.not_measured]
    for number in range(rounds):
        first = number * len(able) // rounds
        for entry in able[first:] + able[:first]:
            if entry.not_measured:
                continue
            with console.status(f"round {number + 1} of {rounds}: {entry.way.name}"), _folder(running) as folder:
                try:
                    figures = _run(running, entry.way, folder, [table], rows)
                except RunFailed as error:
                    entry.not_measured = error.what
                    entry.rounds.clear()
                    continue
            entry.rounds.append(figures)
            console.print(f"round {number + 1}: {entry.way.name:32} {figures.to_json()}", highlight=False)


def _chosen(only: str | None, among: Sequence[Way]) -> list[Entry]:
    """All ways, or the floor and those whose names hold one of the words."""
    words = [word.strip() for word in (only or "").split(",") if word.strip()]
    kept = [way for way in among if not words or way.group == "floor" or any(word in way.name for word in words)]
    return [Entry(way) for way in kept]


def _machine(server: str) -> dict[str, Any]:
    return {
        "server": server,
        "cpus": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
        "code_version": code_version(),
    }


def _write(name: str, server: str, result: Result) -> None:
    result.machine["load_after"] = os.getloadavg()[0]
    OUT.mkdir(exist_ok=True)
    path = OUT / f"{name}-{server}.json"
    path.write_text(json.dumps(result.to_json(), indent=1))
    console.print(result.printed())
    console.print(result.to_json()["goals"])
    console.print(f"[dim]{path}[/]")


def bench(
    rows: Annotated[int, typer.Option(min=1000, help="Rows of the table.")] = 6_000_000,
    rounds: Annotated[int, typer.Option(min=1, help="How often each way is measured.")] = 3,
    only: Annotated[str | None, typer.Option(help="Words of names, with commas: only these, and the floor.")] = None,
    promotions: Annotated[bool, typer.Option(help="The real table of 20.9 M rows too: ours and the floor.")] = False,
    check: Annotated[bool, typer.Option(help="Compare every value with the source.")] = True,
    server: Annotated[Literal["mariadb", "mysql"], typer.Option(help="What is read.")] = "mariadb",
) -> None:
    """Measure readers on a private server, which takes a minute to fill."""
    needed = rows * BYTES_PER_ROW + (promotions and 2 * 10**9)
    memory_mib = max(256, min(needed // 2**20, psutil.virtual_memory().available // 2**21))
    if shutil.disk_usage(tempfile.gettempdir()).free < 3 * needed + 10**9:
        raise LakeError(f"{tempfile.gettempdir()} has no room for {rows:,} rows", "make some, or set TMPDIR")
    entries = _chosen(only, ways.ALL)
    _prepare(entries)
    with servers.running(server, _options(server, memory_mib)) as running:
        result = Result(tables.MAIN.name, rows, entries, _machine(server))
        with console.status(f"filling {rows:,} rows"):
            tables.fill_main(running, rows)
            tables.fill_torture(running)
        if check:
            _check(running, entries, tables.MAIN, rows)
            _torture(running, entries)
        running.wait_until_idle()
        _rounds(running, entries, tables.MAIN, rows, rounds)
        _write("extract", server, result)
        if promotions:
            _promotions(running, rounds)


def _options(kind: str, memory_mib: int) -> tuple[str, ...]:
    """Room for the whole table: this measures readers, not a disk. Some clients encrypt unasked where the server offers
    it; nobody does here."""
    of_mysql = ("--innodb-redo-log-capacity=2G", "--tls-version=")
    own = of_mysql if kind == "mysql" else ("--innodb-log-file-size=1G", "--skip-ssl")
    return (
        "--character-set-server=utf8mb4",
        "--default-time-zone=+00:00",
        "--max-allowed-packet=64M",
        "--local-infile=1",
        "--secure-file-priv=",  # the comparison has the server print its values into the scratch folder
        f"--innodb-buffer-pool-size={memory_mib}M",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-doublewrite=0",
        "--skip-log-bin",
        "--performance-schema=0",
        *own,
    )


def _promotions(running: Server, rounds: int) -> None:
    with console.status("filling promotions"):
        rows = tables.fill_promotions(running)
    entries = [Entry(way) for way in ways.ALL if way.name in PROMOTIONS_WAYS]
    result = Result(tables.PROMOTIONS.name, rows, entries, _machine(running.kind))
    _check(running, entries, tables.PROMOTIONS, rows)
    running.wait_until_idle()
    _rounds(running, entries, tables.PROMOTIONS, rows, rounds)
    _write("extract-promotions", running.kind, result)


if __name__ == "__main__":
    command.run(bench)
