"""How fast the sources were read last: rows by the receipts, seconds by Airflow's task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import takewhile

from lake.ledger import receipts
from lake.ledger.freshness import LOOK_BACK
from lake.ledger.receipts import Receipt
from lake.observe.airflows import Sessions
from lake.observe.metrics import SPEED, Sample
from lake.observe.news import News, State
from lake.platform.airflow import Airflow, RunState, TaskState
from lake.run import run_id_of

DAG, TASK = "shop_lake", "extract"


class Extraction:
    """Looks at the receipts that are new."""

    def __init__(self, sessions: Sessions | None = None) -> None:
        self._news = News()
        self._sessions = sessions or Sessions()
        self._state: State | None = None
        self._speeds: dict[str, float] = {}

    def collect(self) -> list[Sample]:
        """The speed at which each source was read last; nothing of one that no run has read lately.

        Raises:
            ServiceError: Airflow, the catalog or the object store is away.
        """
        state = self._news.state()
        if state != self._state:
            seen = self._state.run_id if self._state else ""
            new = list(takewhile(lambda receipt: receipt.run_id != seen, receipts.newest(LOOK_BACK if state else 0)))
            if any(_rows(receipt) for receipt in new):
                with self._sessions.session() as airflow:
                    self._speeds |= speeds(new, airflow)
            self._state = state
        return [SPEED(speed, source) for source, speed in sorted(self._speeds.items())]


def speeds(found: Iterable[Receipt], airflow: Airflow) -> dict[str, float]:
    """Rows a second of the first receipt that read any of a source, by source.

    Args:
        found: the newest first.
    """
    runs = airflow.newest_runs(DAG)
    speeds: dict[str, float] = {}
    for receipt in found:
        rows = {source: count for source, count in _rows(receipt).items() if source not in speeds}
        run = of_run(receipt.run_id, runs) if rows else None
        if run:
            seconds = _seconds(airflow.tasks(DAG, run.run_id))
            speeds |= {source: count / seconds[source] for source, count in rows.items() if seconds.get(source)}
    return speeds


def of_run(run_id: str, runs: Iterable[RunState]) -> RunState | None:
    """Airflow's run behind a run of ours, whose id is made from that one's; that of a second try ends with a number."""
    by_id = {run_id_of(run.run_id): run for run in runs}
    first, _, number = run_id.rpartition("_")
    return by_id.get(run_id) or (by_id.get(first) if number.isdigit() else None)


def _rows(receipt: Receipt) -> Mapping[str, int]:
    """Rows that were read, of the sources of which any were."""
    rows: Counter[str] = Counter()
    for told in receipt.tables.values():
        rows[told.get("source", "")] += told["read"]
    return +rows


def _seconds(tasks: Iterable[TaskState]) -> dict[str, float]:
    """How long each source was read; the task's label is its name."""
    return {task.label: task.seconds for task in tasks if task.task_id == TASK and task.ended_at and task.seconds}
