"""The command behind `make bench-binlog`: changed rows a second, ours beside the old client and MySQL's own program.

Writes ``benchmarks/out/binlog.json`` and prints it as a table. What is measured and how stands in docs/benchmarks.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import servers
from benchmarks.binlog import shapes
from benchmarks.servers import Server
from lake.errors import LakeError
from lake.runtime import fetch
from lake.runtime.artifacts import artifacts
from lake.settings import PROJECT
from lake.steps.start import code_version

HERE = Path(__file__).resolve().parent
OUT = HERE.parent / "out" / "binlog.json"
OLD_CLIENT = PROJECT / ".venvs" / "binlog-old-client"
SLOW_ROWS = 100_000
"""What the slow readers are given: their rate does not depend on it."""
LONGEST_SECONDS = 1800
console = Console()
if not console.is_terminal:
    console = Console(width=150)  # into a file or a log, where a narrow table would be cut


def main(
    rows: Annotated[
        int, typer.Option(help="changed rows of many-row events; a third of it in events of one row")
    ] = 1_000_000,
    rounds: Annotated[int, typer.Option(help="readings of each, in turn")] = 3,
) -> None:
    """Measure every reader on every server that this machine has."""
    figures = []
    for kind in servers.KINDS:
        if not servers.is_installed(kind):
            console.print(f"{kind} is not installed here: not measured")
            continue
        with servers.running(kind, _options(kind)) as server:
            shapes.make(server)
            for name, write, amount in (
                ("one-row events", shapes.one_row_events, rows // 3),
                ("many-row events", shapes.many_row_events, rows),
            ):
                figures += _measure(server, name, write, amount, rounds)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"version": code_version(), "figures": figures}, indent=1))
    _show(figures)


def _options(kind: str) -> tuple[str, ...]:
    """A server that keeps a binlog of rows, and waits for no disk."""
    own = ("--gtid-mode=ON", "--enforce-gtid-consistency=ON") if kind == "mysql" else ()
    return (
        "--server-id=1",
        "--log-bin=binlog",
        "--binlog-format=ROW",
        "--max-binlog-size=1G",
        "--sync-binlog=0",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-buffer-pool-size=512M",
        "--performance-schema=0",
        *own,
    )


def _measure(
    server: Server, shape: str, write: Callable[[Server, int], None], rows: int, rounds: int
) -> list[dict[str, Any]]:
    """All readers on the same events; the slow ones on fewer, written last, since they read to the binlog's end."""
    jobs = []
    for amount in (rows, min(rows, SLOW_ROWS)):
        with console.status(f"{server.kind}: writing {amount:,} rows in {shape}"):
            jobs.append(_job(server, write, amount))
    fast, slow = jobs
    everything = {**fast, "rows": fast["rows"] + slow["rows"]}
    ways: list[tuple[str, list[str], dict[str, Any]]] = [
        ("mysql_arrow", [sys.executable, "ours.py"], fast),
        ("mysql_arrow, from memory", [sys.executable, "ours.py", "decode"], fast),
        ("mysql-replication 1.0.17", [_old_client(), "old_client.py"], slow),
    ]
    if server.kind == "mysql":
        program = str(artifacts()["mysql"].folder / "usr" / "bin" / "mysqlbinlog")
        for label, what in (("mysqlbinlog, as it comes", "raw"), ("mysqlbinlog, rows printed", "rows")):
            ways.append((label, [sys.executable, "mysqlbinlog.py", program, what], everything))
    found: dict[str, list[dict[str, float]]] = {name: [] for name, _, _ in ways}
    for number in range(rounds):
        for name, command, job in ways:
            with console.status(f"{server.kind}, {shape}, round {number + 1}: {name}"):
                found[name].append(_run(command, job))
    return [_summary(server.kind, shape, name, runs) for name, runs in found.items()]


def _job(server: Server, write: Callable[[Server, int], None], rows: int) -> dict[str, Any]:
    before, offset, gtid = server.place()
    write(server, rows)
    after = server.place()
    return {
        "host": "127.0.0.1", "port": server.port, "user": servers.USER, "password": server.password,
        "database": servers.DATABASE, "table": shapes.TABLE, "start": [before, offset], "end": list(after[:2]),
        "gtid": gtid, "rows": rows,
    }  # fmt: skip


def _run(command: list[str], job: dict[str, Any]) -> dict[str, float]:
    result = subprocess.run(
        command, cwd=HERE / "readers", env={**os.environ, "BINLOG_JOB": json.dumps(job)},
        check=False, capture_output=True, text=True, timeout=LONGEST_SECONDS,
    )  # fmt: skip
    if result.returncode:
        raise LakeError(f"{' '.join(command[1:])} failed: {result.stderr.strip()[-500:]}")
    cost: dict[str, float] = json.loads(result.stdout)
    return cost


def _old_client() -> str:
    """An interpreter that has the old client, made on first use."""
    python = OLD_CLIENT / "bin" / "python"
    if not python.exists():
        for command in (
            [fetch.uv(), "venv", "--quiet", "--python", sys.executable, str(OLD_CLIENT)],
            [fetch.uv(), "pip", "install", "--quiet", "--python", str(python), "-r", str(HERE / "old-client.txt")],
        ):
            fetch.run("making the old client's environment", command)
    return str(python)


def _summary(kind: str, shape: str, name: str, runs: list[dict[str, float]]) -> dict[str, Any]:
    return {
        "server": kind, "shape": shape, "reader": name, "rows": int(runs[0]["rows"]),
        "rows_per_s": round(median(run["rows"] / run["wall_s"] for run in runs)),
        "rows_per_cpu_s": round(median(run["rows"] / run["cpu_s"] for run in runs)),
        "peak_mb": round(max(run["peak_mb"] for run in runs)), "rounds": len(runs),
    }  # fmt: skip


def _show(figures: list[dict[str, Any]]) -> None:
    table = Table("server", "events", "reader", "rows a second", "rows a CPU second", "peak MB")
    for one in figures:
        table.add_row(
            one["server"], one["shape"], one["reader"], f"{one['rows_per_s']:,}", f"{one['rows_per_cpu_s']:,}",
            "" if one["reader"].startswith("mysqlbinlog") else str(one["peak_mb"]),
        )  # fmt: skip
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
