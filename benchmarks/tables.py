"""The command behind `make bench-tables`: what a run costs in a schema of hundreds of tables, most of them small.

    python -m benchmarks.tables --tables 1000
    python -m benchmarks.tables --tables 1000 --runs 200

It needs nothing to run. It starts a platform and a server of its own in a scratch folder, on free ports, makes the
schema, and runs the pipeline through Airflow: everything for the first time, then with ten tables changed, then with
nothing changed, and after them as many runs in a row as are asked for, for the memory of the services in them. At the
end all of it is stopped and removed. Prints tables and writes ``benchmarks/out/tables.json``.

A run of which a table is missing, or that does not count as many rows as the source has, fails the command: times of
wrong answers are worth nothing. No time is ever asserted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import command, ours, servers, tables_schema
from benchmarks.measure import Phase
from benchmarks.tables_schema import NAME, Planned
from lake.errors import AuditError, LakeError
from lake.runtime.ports import free_offset
from lake.runtime.service import CORE
from lake.runtime.services import pairs, services
from lake.settings import PROJECT, settings

OUT = Path(__file__).resolve().parent / "out" / "tables.json"
AIMS_SECONDS = {"first run": 150, "ten tables changed": 25, "nothing changed": 10}
"""For 1,000 tables on two idle cores."""

OFFSETS = range(3000, 6000, 10)
CHANGED = 10
LOG_LINES = 30
TOLD_EVERY = 10
COMMAND_SECONDS = 900
MIB = 1024**2
console = Console()


@dataclass
class Result:
    """What was measured: the phases in their order, and what Airflow keeps and shows of each.

    Attributes:
        row_seconds: wall time of each of the runs in a row.
        row_peaks: for each service its most memory in each of them, bytes.
    """

    tables: int
    columns: int
    rows: int
    largest_rows: int
    server: str
    seconds_to_load: float = 0.0
    seconds_to_draft: float = 0.0
    phases: dict[str, Phase] = field(default_factory=dict)
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    row_seconds: list[float] = field(default_factory=list)
    row_peaks: dict[str, list[int]] = field(default_factory=dict)

    def growth(self) -> dict[str, float]:
        """How many times the median of a service's memory in the second quarter of the runs in a row it is in the last
        one. The first quarter warms up."""
        found = {}
        for service, peaks in self.row_peaks.items():
            quarter = len(peaks) // 4
            if quarter:
                found[service] = median(peaks[-quarter:]) / median(peaks[quarter : 2 * quarter])
        return found

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        plain = {name: value for name, value in vars(self).items() if name != "phases"}
        return {
            **plain,
            "row_growth": self.growth(),
            "aims_seconds": AIMS_SECONDS,
            "phases": {n: phase.to_json() for n, phase in self.phases.items()},
        }


# -- a platform of the benchmark's own
@contextmanager
def platform(folder: Path) -> Iterator[None]:
    """Every service but the demo shop's servers, for the length of the block, with contracts of its own."""
    os.environ |= {
        "LAKE_HOME": str(folder),
        "LAKE_CONTRACTS": str(folder / "contracts"),
        "LAKE_PORT_OFFSET": str(free_offset(OFFSETS)),
        # There is no shop, and nothing begins by itself.
        "LAKE_SOURCE_HOST": "",
        "LAKE_PIPELINE_SCHEDULE": "",
        "LAKE_WATCH_SCHEDULE": "",
    }
    settings.cache_clear()
    shops = {service.name for pair in pairs() for service in pair.services()}
    try:
        core = (name for name, service in services().items() if service.profile == CORE)
        _lake("up", *(name for name in core if name not in shops))
        settings.cache_clear()
        yield
    finally:
        _lake("down")


def _lake(*arguments: str) -> None:
    """Run the command as a user does.

    Raises:
        LakeError: it failed; what it said is in the message.
    """
    command = [sys.executable, "-m", "lake.commands", *arguments]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=COMMAND_SECONDS)
    if done.returncode:
        raise LakeError("\n".join((done.stdout + done.stderr).splitlines()[-LOG_LINES:]))


def server_options(kind: str) -> tuple[str, ...]:
    """A server with a binlog, in which increments are found, that does not wait for its disk."""
    own = ("--gtid-mode=ON", "--enforce-gtid-consistency=ON") if kind == "mysql" else ("--binlog-row-metadata=FULL",)
    return (
        "--server-id=1",
        "--log-bin=binlog",
        "--binlog-format=ROW",
        "--sync-binlog=0",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-buffer-pool-size=512M",
        *own,
    )


# -- what is measured
def measure(tables: int, kind: str, runs: int, folder: Path) -> Result:
    """Run everything.

    Args:
        runs: how many in a row after the others, each with some tables changed.

    Raises:
        LakeError: something did not start, or a run failed.
        AuditError: a run is not what the source says.
    """
    planned = tables_schema.plan(tables)
    rows = [table.rows for table in planned]
    columns = sum(1 + len(table.columns) for table in planned)
    result = Result(tables, columns, sum(rows), max(rows), kind)
    with servers.running(kind, server_options(kind)) as server:
        with console.status(f"{sum(rows):,} rows in {tables:,} tables"):
            result.seconds_to_load = _timed(lambda: tables_schema.make(server, planned))
            server.wait_until_idle()
        with console.status("starting a platform"), platform(folder):
            result.seconds_to_draft = _timed(lambda: _take_in(server))
            _runs(server, planned, result)
            _row(server, planned, runs, result)
    return result


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _take_in(server: servers.Server) -> None:
    url = server.url.rsplit("/", 1)[0] + f"/{NAME}"
    _lake("add-source", url, "--name", NAME, "--required")
    _lake("add-table", "--all", "--source", NAME)


def _runs(server: servers.Server, planned: list[Planned], result: Result) -> None:
    with ours.Watched() as airflow:
        for name in AIMS_SECONDS:
            changed = tables_schema.change(server, planned, CHANGED) if name == "ten tables changed" else {}
            result.phases[name], receipt = ours.run(airflow, name, full=False)
            _print_phase(name, result.phases[name])
            refuse_wrong(name, receipt, planned, changed)
            result.kept[name] = ours.kept(airflow)


def _row(server: servers.Server, planned: list[Planned], runs: int, result: Result) -> None:
    with ours.Watched() as airflow:
        for number in range(1, runs + 1):
            changed = tables_schema.change(server, planned, CHANGED, number)
            phase, receipt = ours.run(airflow, f"run {number}", full=False)
            refuse_wrong(phase.name, receipt, planned, changed)
            result.row_seconds.append(phase.wall_seconds)
            for service, peak in phase.peak_by_service.items():
                result.row_peaks.setdefault(service, []).append(peak)
            if number % TOLD_EVERY == 0:
                console.print(
                    f"{number} runs in a row, the last {TOLD_EVERY} of {median(result.row_seconds[-TOLD_EVERY:]):.1f} s"
                )


def refuse_wrong(name: str, receipt: dict[str, Any], planned: list[Planned], changed: dict[str, int]) -> None:
    """Hold a receipt against what is known of the source.

    Raises:
        AuditError: a table is missing or has other rows, or the run read other tables than those that changed.
    """
    told = receipt["tables"]
    wrong = [
        f"{table.name} has {table.rows} rows, the lake {found['cleaned_rows']} and {found['quarantine_rows']} refused"
        for table in planned
        if (found := told[f"{NAME}_{table.name}"])["cleaned_rows"] + found["quarantine_rows"] != table.rows
    ]
    read = {table.removeprefix(f"{NAME}_"): found["read"] for table, found in told.items() if found["read"]}
    expected = {table.name: table.rows for table in planned if table.rows} if name == "first run" else changed
    if less := [f"{table} read {read.get(table, 0)}" for table, rows in expected.items() if read.get(table, 0) < rows]:
        wrong += less
    if len(told) != len(planned) or bool(receipt["unchanged_since"]) != (name == "nothing changed"):
        wrong.append(f"{len(told)} tables of {len(planned)}, unchanged since {receipt['unchanged_since'] or 'nothing'}")
    if wrong:
        raise AuditError(f"{name}: the times are worth nothing:\n" + "\n".join(wrong[:LOG_LINES]))


# -- for people
def print_result(result: Result) -> None:
    """The phases, what Airflow keeps of them, and the runs in a row."""
    title = f"{result.tables:,} tables, {result.columns:,} columns, {result.rows:,} rows, {result.server}"
    table = Table("run", "wall s", "aim s", "CPU s", "peak MiB", title=title, box=None)
    for name, phase in result.phases.items():
        aim = f"{AIMS_SECONDS[name]}" if result.tables == 1000 else ""
        peak = f"{phase.peak_bytes / MIB:,.0f}"
        table.add_row(name, f"{phase.wall_seconds:.1f}", aim, f"{phase.cpu_seconds:.1f}", peak)
    console.print(table)
    for name, kept in result.kept.items():
        console.print(f"kept by Airflow, {name}: " + ", ".join(f"{what} {size}" for what, size in kept.items()))
    if growth := result.growth():
        console.print(f"{len(result.row_seconds)} runs in a row: median {median(result.row_seconds):.1f} s")
        told = [
            f"{service} {share:.2f} ({median(result.row_peaks[service]) / MIB:,.0f} MiB)"
            for service, share in growth.items()
        ]
        console.print("memory, last quarter to second: " + ", ".join(told))


def _print_phase(name: str, phase: Phase) -> None:
    seconds: Counter[str] = Counter()
    for task in phase.tasks:
        seconds[task.name] += task.seconds
    console.print(f"[bold]{name}: {phase.wall_seconds:.1f} s[/]")
    console.print("  tasks: " + ", ".join(f"{task} {took:.1f} s" for task, took in seconds.items() if took))
    cpu = sorted(phase.cpu_by_service.items(), key=lambda item: -item[1])
    console.print("  CPU: " + ", ".join(f"{service} {used:.1f} s" for service, used in cpu if used >= 0.1))


def bench(
    tables: Annotated[int, typer.Option(min=20, max=5000, help="Of the schema; rows grow with them.")] = 1000,
    server: Annotated[str, typer.Option(help="mariadb or mysql")] = "mariadb",
    runs: Annotated[int, typer.Option(min=0, help="In a row, for the memory of the services.")] = 0,
) -> None:
    """Measure runs over hundreds of tables, on a platform of the benchmark's own."""
    with TemporaryDirectory(prefix="shoplake-tables-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # open to the users that servers run as which refuse root
        result = measure(tables, server, runs, folder)
    OUT.parent.mkdir(exist_ok=True)
    text = json.dumps(result.to_json(), indent=1)
    for file in (OUT, OUT.with_name(f"tables-{tables}-{server}.json")):
        file.write_text(text)
    print_result(result)
    console.print(f"[dim]{OUT}[/]")


if __name__ == "__main__":
    command.run(bench)
