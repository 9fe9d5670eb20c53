"""`lake run`: trigger the pipeline through Airflow, follow it, and sum up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from lake.errors import LakeError
from lake.ledger import receipts
from lake.ledger.receipts import NOT_ASKED_FOR, Receipt
from lake.settings import settings

if TYPE_CHECKING:
    from lake.platform.airflow import Airflow, TaskState

PIPELINE, REPORTS, ALERTING, LINEAGE = "shop_lake", "reports", "alerting", "lineage"
RECOMMEND, SEARCH_INDEX, MAINTENANCE, PARITY = "recommend", "search_index", "maintenance", "parity"
EXTRACT, PUBLISH = "extract", "publish"
TABLES_SHOWN = 40
"""Of those that changed; the receipt has them all."""

_STYLE = {"success": "green", "failed": "red", "running": "cyan", "up_for_retry": "yellow", "upstream_failed": "red"}
_WORTH_A_LINE = frozenset({"running", "success", "failed", "up_for_retry", "upstream_failed", "skipped", "removed"})


@dataclass(frozen=True)
class Asked:
    """What a run is asked to read: tables whole or what changed in them, and which; all where none is named."""

    full: bool = False
    sources: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()

    def to_conf(self) -> dict[str, Any]:
        """The parameters of the DAG."""
        return {"full": self.full, "sources": list(self.sources), "tables": list(self.tables)}


EVERYTHING = Asked()


def run(
    full: Annotated[bool, typer.Option("--full", help="Read tables whole, not what changed.")] = False,
    source: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Read tables of this source alone; may be repeated.")
    ] = None,
    table: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Read this table of the lake alone; may be repeated.")
    ] = None,
) -> None:
    """Run the pipeline through Airflow and follow it."""
    run_pipeline(Asked(full, tuple(source or ()), tuple(table or ())), Console())


def run_pipeline(asked: Asked, console: Console) -> dict[str, Any]:
    """Run `shop_lake` once, with the report and the alerts that follow it; return the receipt.

    A run that is under way and has not begun to read the source will show what the shop holds now: unless something
    else is asked than what changed everywhere, that run is followed instead of queueing a second one behind it.

    Raises:
        LakeError: the run failed; the failed task's last words are in the message.
    """
    # Imported here, and below: Airflow's client takes a second to import, and every command would wait for it.
    from lake.platform.airflow import Airflow

    with Airflow() as airflow:
        for dag_id in (PIPELINE, REPORTS, ALERTING, LINEAGE, RECOMMEND, SEARCH_INDEX, MAINTENANCE, PARITY):
            airflow.unpause(dag_id)
        run_id = joinable(airflow) if asked == EVERYTHING else None
        if run_id:
            console.print("[dim]following the run that is about to read the shop[/]")
        else:
            if waiting := airflow.active_runs(PIPELINE):
                console.print(f"[dim]waiting behind {', '.join(waiting)}: one run at a time[/]")
            run_id = airflow.trigger(PIPELINE, asked.to_conf())
        address = f"{settings().airflow_url}/dags/{PIPELINE}/runs/{run_id}"
        console.print(f"[bold]{PIPELINE}[/] {run_id}  {address}", soft_wrap=True)
        _follow(airflow, PIPELINE, run_id, console)
        receipt = receipts.of_run(airflow.result(PIPELINE, run_id, PUBLISH)["run_id"]).to_json()
        tasks = airflow.tasks(PIPELINE, run_id)
        if receipt["unchanged_since"]:
            _summary(receipt, tasks, console)
            return receipt
        (published_at,) = [task.started_at for task in tasks if task.task_id == PUBLISH]
        assert published_at is not None, "the run succeeded"
        reports = _triggered(airflow, REPORTS, published_at)
        _follow(airflow, REPORTS, reports, console)
        _summary(receipt, tasks, console)
        return receipt


def joinable(airflow: Airflow) -> str | None:
    """The active run that takes its snapshot of the source after this moment, if there is one: the oldest such."""
    for run_id in airflow.active_runs(PIPELINE):
        # The time of a first try remains while a second one waits, so a retry is not joined: its rows may have landed.
        if all(task.started_at is None for task in airflow.tasks(PIPELINE, run_id) if task.task_id == EXTRACT):
            return run_id
    return None


def _triggered(airflow: Airflow, dag_id: str, after: datetime) -> str:
    """The run that the published asset starts, once the scheduler has made it."""
    nothing_yet = retry_if_result(lambda run_id: run_id is None)
    retrying = Retrying(retry=nothing_yet, wait=wait_fixed(0.5), stop=stop_after_delay(60))
    try:
        return str(retrying(airflow.newest_run, dag_id, after))
    except RetryError as error:
        raise LakeError(
            f"the lake was published, but {dag_id} did not start", "look at `lake logs airflow-scheduler`"
        ) from error


def _follow(airflow: Airflow, dag_id: str, run_id: str, console: Console) -> None:
    """Show the tasks until the run has ended: a table that lives, or without a terminal a line whenever one changes."""
    if console.is_terminal:
        with Live(console=console, refresh_per_second=4) as live:
            state, tasks = _until_ended(airflow, dag_id, run_id, lambda tasks: live.update(_progress(dag_id, tasks)))
    else:
        plain = Changes(dag_id)
        state, tasks = _until_ended(airflow, dag_id, run_id, lambda tasks: _print_lines(console, plain.lines(tasks)))
    if state == "failed":
        failed = next((task for task in tasks if task.state == "failed"), None)
        if failed is None:
            raise LakeError(
                f"{dag_id} {run_id} failed without a task that did: it took longer than it may, or somebody ended it",
                f"look at {settings().airflow_url}/dags/{dag_id}/runs/{run_id}",
            )
        words = "\n".join(airflow.log_tail(dag_id, run_id, failed, lines=12))
        raise LakeError(
            f"{dag_id} {run_id} failed in {failed.name}; main is as it was. Its last words:\n{words}",
            f"the whole log: {settings().airflow_url}/dags/{dag_id}/runs/{run_id}",
        )


def _until_ended(
    airflow: Airflow, dag_id: str, run_id: str, show: Callable[[list[TaskState]], None]
) -> tuple[str, list[TaskState]]:
    """Ask twice a second; the state in which the run ended, and its tasks."""
    from lake.platform.airflow import ENDED

    while True:
        state, tasks = airflow.run_state(dag_id, run_id), airflow.tasks(dag_id, run_id)
        show(tasks)
        if state in ENDED:
            return state, tasks
        time.sleep(0.5)


class Changes:
    """What is worth a line since the last look: a task that started, ended, or waits to be tried again."""

    def __init__(self, dag_id: str) -> None:
        self._dag_id = dag_id
        self._told: dict[tuple[str, int], tuple[str, int]] = {}

    def lines(self, tasks: list[TaskState]) -> list[str]:
        """One line a task that changed, such as ``shop_lake extract [shop]: success in 3.2 s``."""
        found = []
        for task in tasks:
            key, now = (task.task_id, task.map_index), (task.state, task.try_number)
            if task.state not in _WORTH_A_LINE or self._told.get(key) == now:
                continue
            self._told[key] = now
            again = f" (try {task.try_number})" if task.try_number > 1 else ""
            took = f" in {task.seconds:.1f} s" if task.started_at and task.state != "running" else ""
            found.append(f"{self._dag_id} {task.name}: {task.state}{took}{again}")
        return found


def _print_lines(console: Console, lines: list[str]) -> None:
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _progress(dag_id: str, tasks: list[TaskState]) -> Table:
    table = Table("task", "state", "seconds", box=None, title=dag_id, title_justify="left")
    table.columns[2].justify = "right"
    for task in tasks:
        seconds = f"{task.seconds:.1f}" if task.started_at else ""
        table.add_row(escape(task.name), f"[{_STYLE.get(task.state, 'dim')}]{task.state}[/]", seconds)
    return table


def _summary(receipt: dict[str, Any], tasks: list[TaskState], console: Console) -> None:
    changed = {name: counts for name, counts in receipt["tables"].items() if _is_worth_a_line(counts)}
    if changed:
        told = dict(sorted(changed.items(), key=lambda item: _weight(item[1]), reverse=True)[:TABLES_SHOWN])
        console.print(_of_tables({name: counts for name, counts in changed.items() if name in told}))
        if more := len(changed) - len(told):
            console.print(f"{more:,} more tables with fewer rows that were refused, deleted or read")
    left = sum(counts["mode"] == NOT_ASKED_FOR for counts in receipt["tables"].values())
    if others := len(receipt["tables"]) - len(changed) - left:
        console.print(f"{others:,} {'other ' if changed else ''}tables are as they were")
    if left:
        console.print(f"{left:,} tables were not asked for, and stay as they are")
    for line in Receipt(**receipt).remarks():
        console.print(escape(line), style="yellow", highlight=False, soft_wrap=True)
    for name, snapshot in receipt["sources"].items():
        console.print(
            f"{name:<14} as of {snapshot['instant'][:19]} UTC, position {snapshot['position'] or 'unknown'}",
            soft_wrap=True,
        )
    layers = "  ".join(f"{layer} {count:,}" for layer, count in receipt["layers"].items())
    console.print(f"rows written   {layers}", soft_wrap=True)
    checks = receipt["checks"]
    console.print(f"checks         {checks['checks']} passed or warned, {len(checks['warnings'])} warnings")
    begun, ended = [t.started_at for t in tasks if t.started_at], [t.ended_at for t in tasks if t.ended_at]
    console.print(f"time           {(max(ended) - min(begun)).total_seconds():.1f} s")
    if since := receipt["unchanged_since"]:
        console.print(
            f"unchanged      since {since}: nothing was published, main@{receipt['lake_commit']} is the source's",
            soft_wrap=True,
        )
        console.print(f"receipt        {receipt['run_id']}")
        return
    console.print(f"published      main@{receipt['lake_commit']}", soft_wrap=True)
    console.print(f"receipt        {receipt['run_id']}")
    if receipt["dbt_manifest_sha256"]:
        console.print(
            f"report         s3://reports/business/{receipt['run_id']}/report.html  (`lake report open`)",
            soft_wrap=True,
        )


def _is_worth_a_line(counts: dict[str, Any]) -> bool:
    is_told = counts["mode"] not in ("increment", NOT_ASKED_FOR)
    return is_told or any(counts[key] for key in ("read", "judged", "refused", "deleted"))


def _weight(counts: dict[str, Any]) -> tuple[int, ...]:
    """What a person wants to see first."""
    return counts["refused"], counts["deleted"], counts["read"]


def _of_tables(tables: dict[str, dict[str, Any]]) -> Table:
    rows = Table("table", "mode", "read", "valid", "refused", "deleted", "in source", box=None)
    for column in rows.columns[2:]:
        column.justify = "right"
    for name, counts in tables.items():
        figures = [f"{counts[key]:,}" for key in ("read", "valid", "refused", "deleted", "source_rows")]
        rows.add_row(name, counts["mode"], *figures)
    return rows
