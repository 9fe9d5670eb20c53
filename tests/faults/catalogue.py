"""Every fault that an extraction must survive, how the tests bring it about, and the page that says how it went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lake.settings import PROJECT

PAGE = PROJECT / "docs" / "reliability.md"
SERVERS = {"mariadb": "MariaDB", "mysql": "MySQL"}
"""What evidence begins with: the server on which it was found."""

LOST = " (**not survived**)"


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        name: what goes wrong.
        injected: how the test brings it about.
        part: what is struck.
    """

    name: str
    injected: str
    part: str


def _faults(part: str, **faults: tuple[str, str]) -> dict[str, Fault]:
    return {identifier: Fault(*texts, part) for identifier, texts in faults.items()}


FAULTS: dict[str, Fault] = {
    **_faults(
        "The extractor",
        killed_after_reading=(
            "killed after the source is read",
            "SIGKILL at `extract.source_read`, and when the store is asked to complete a file",
        ),
        killed_in_a_row_group=(
            "killed in the middle of a row group",
            "SIGKILL at `extract.row_group`, and after N bytes of rows",
        ),
        killed_before_the_commit=("killed after the upload, before the commit", "SIGKILL at `extract.uploaded`"),
        killed_after_the_commit=("killed after the commit, before the state", "SIGKILL at `extract.committed`"),
        killed_before_it_is_heard=(
            "killed after the state, before Airflow hears of it",
            "SIGKILL at `register.committed` and at `publish.merged`; a finished task done once more",
        ),
        killed_between_chunks=("killed between two chunks", "SIGKILL at the n-th passing of `extract.between_chunks`"),
        zombie=(
            "stopped, and woken after its retry was published",
            "SIGSTOP at several points, SIGCONT after the retry",
        ),
        out_of_memory=("out of memory", "a limit of the process's address space (RLIMIT_AS)"),
        two_runs_at_once=("two runs of the same pipeline at once", "two processes, and two tries of one run"),
        terminated_in_the_commit=("SIGTERM during the commit", "the catalog's reply held back, then SIGTERM"),
    ),
    **_faults(
        "The database",
        server_killed=("server killed during the scan", "SIGKILL to its process while rows are on their way"),
        connections_killed=("connection killed per chunk", "KILL CONNECTION for every chunk that is read"),
        stalled_reader=("stalled reader, short net_write_timeout", "net_write_timeout=1, and the link stands still"),
        server_stopped=("server stopped", "SIGSTOP to its process during the scan, SIGCONT seconds later"),
        altered_between_chunks=("ALTER TABLE between chunks", "ADD COLUMN, DROP COLUMN and MODIFY at a pause"),
        late_commit=("a transaction open across the watermark", "rows inserted before a run, committed after it"),
        changed_during_the_scan=("bulk DELETE and UPDATE during the scan", "a third of the rows each, at a pause"),
        no_connection_left=("max_connections used up", "connections of others up to the limit"),
        binlog_purged=("binlog purged past the position", "purged, and begun anew, between runs"),
        time_zone_changed=("the server's time zone changed between runs", "SET GLOBAL time_zone"),
    ),
    **_faults(
        "The network",
        reset=("connection reset at byte N", "RST after N bytes of source, object store and catalog"),
        black_hole=("a black hole (half open)", "a link that forwards nothing more and tells nobody"),
        slow_link=("a link of 1 Mbit/s", "the source's replies at 125,000 bytes a second"),
        reply_lost=(
            "the reply to a commit lost after it was applied",
            "reply dropped and RST: the manifest's PUT, the table's commit, the merge into main",
        ),
        upload_truncated=("a truncated upload", "FIN in the middle of a PUT"),
    ),
    **_faults(
        "The object store",
        store_killed=("MinIO killed during a PUT and CompleteMultipart", "SIGKILL when the request is seen"),
        disk_full=("disk full", "MinIO on a small tmpfs, filled"),
        read_only=("read-only disk", "MinIO's file system mounted read-only"),
        byte_flipped=("one byte of an object flipped", "in MinIO's own file of a landed part"),
    ),
    **_faults(
        "A source that changes its shape, or is away",
        shape_ambiguous=("a column or a table is gone", "DROP COLUMN, DROP TABLE between runs"),
        shape_wider=("labels, columns and wider types", "ALTER TABLE between runs"),
        shape_kept=("a table is gone that its contract keeps", "DROP TABLE between runs, then CREATE TABLE"),
        source_away=("a source that is not required is away", "SIGKILL to its server before the run"),
    ),
    **_faults(
        "What no log tells",
        as_many_in_as_out=("as many rows written as deleted", "`sql_log_bin=0`, before a run"),
        restored=("content that a restore has changed", "UPDATE with `sql_log_bin=0`"),
        changed_in_the_lake=("a row changed in the lake behind our back", "a delete and an append in Iceberg"),
        lake_byte_flipped=("a flipped byte in a file of the lake", "in each column of a Parquet file in turn"),
        replica_diverged=("a replica that has diverged", "rows changed there, with `sql_log_bin=0`"),
    ),
    **_faults(
        "Maintenance",
        killed_in_compaction=("killed in compaction", "SIGKILL at `maintenance.rewritten`, `maintenance.merged`"),
        run_beside_compaction=("a run publishes what is being written anew", "between the writing and its merge"),
    ),
    **_faults(
        "Silence",
        task_failed=("a task that raises, hangs, or is killed", "a DAG that does so, in Airflow"),
        run_hangs=("a task that hears of no limit", "SIGTERM ignored, past the limit of its run"),
        callback_lost=("an alert that Alertmanager has forgotten", "resolved behind our back; the watch looks"),
        watch_silent=("the watch itself is silent", "no look for longer than its schedule allows"),
    ),
}
"""By identifier, which is the name of the tests' marker: ``@pytest.mark.fault("zombie")``."""


def page(evidence: Mapping[str, list[tuple[str, bool]]], earlier: Mapping[tuple[str, str], str] | None = None) -> str:
    """The text of the page.

    Args:
        evidence: per fault what each of its tests found, and whether it passed.
        earlier: rows of faults that were struck before, as `written` gives them. What was found on a server on which a
            fault is not struck this time stays.
    """
    lines = [
        "# Reliability",
        "",
        "What the platform survives, finds and tells. The tables are written by `make test-faults`, from the run",
        "itself.",
        "",
        "Every test of the extraction ends in the same oracle, which uses neither our decoder nor our hashes: the",
        "lake's rows are compared with the source's value by value; the number of rows, of distinct keys and the sum",
        "of the rows' hashes, which the server computes, agree; one more run adds no row to what is read in",
        "increments; and after cleaning nothing lies in the landing area that no table refers to.",
    ]
    for part in dict.fromkeys(fault.part for fault in FAULTS.values()):
        lines += ["", f"## {part}", "", "| fault | injected | survived | evidence |", "|---|---|---|---|"]
        for identifier, fault in FAULTS.items():
            if fault.part == part:
                before = (earlier or {}).get((fault.name, fault.injected), "")
                struck = evidence.get(identifier)
                lines.append(_row(fault, struck or [], before) if struck or not before else before)
    return "\n".join(lines) + "\n"


def _row(fault: Fault, found: list[tuple[str, bool]], before: str) -> str:
    texts = [text if passed else text + LOST for text, passed in found]
    struck = {_server(text) for text in texts}
    kept = [text for text in _evidence_of(before) if _server(text) not in {*struck, ""}]
    every = list(dict.fromkeys([*kept, *texts]))
    survived = "yes" if every and not any(text.endswith(LOST) for text in every) else "**no**"
    return f"| {fault.name} | {fault.injected} | {survived} | {'<br>'.join(every) or 'not run'} |"


def _server(text: str) -> str:
    """The server that a piece of evidence is of; empty where it says none."""
    name = text.partition(": ")[0]
    return name if name in SERVERS.values() else ""


def _evidence_of(row: str) -> list[str]:
    """The pieces of evidence in a row of the page."""
    return row.removesuffix(" |").rpartition(" | ")[2].split("<br>") if row else []


def written(file: Path = PAGE) -> dict[tuple[str, str], str]:
    """The rows that the page has now, by name and injection of the fault."""
    lines = file.read_text().splitlines() if file.exists() else []
    rows = [line for line in lines if line.startswith("| ") and not line.startswith("| fault |")]
    return {(row.split(" | ")[0].removeprefix("| "), row.split(" | ")[1]): row for row in rows}
