"""Shoplake's side: one run of the DAG through Airflow, measured."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Self

from benchmarks import marts
from benchmarks.measure import Phase, Sampler, TaskTime, orchestration_share
from lake.commands.run import ALERTING, LINEAGE, PIPELINE, REPORTS
from lake.errors import LakeError, ServiceError
from lake.ledger import receipts
from lake.platform.airflow import ENDED, TIMEOUT_SECONDS, Airflow, TaskState
from lake.runtime import supervise
from lake.settings import settings

POLL_SECONDS = 0.5
IDLE_TIMEOUT_SECONDS = 1800
FOLLOWERS = (REPORTS, ALERTING, LINEAGE)
BEFORE_ALL = datetime(2000, 1, 1, tzinfo=UTC)
"""An instant before any run."""


class Watched(Airflow):
    """Airflow's API, with what only a benchmark asks."""

    def __enter__(self) -> Self:
        return self

    def run_span(self, dag_id: str, run_id: str) -> tuple[datetime, datetime]:
        """Instants at which a finished run was asked for and ended."""
        run = self._runs.get_dag_run(dag_id, run_id, _request_timeout=TIMEOUT_SECONDS)
        assert run.queued_at and run.end_date, "it has ended"
        return run.queued_at, run.end_date

    def task_ids(self, dag_id: str, run_id: str) -> dict[tuple[str, int], str]:
        """Id of each task instance, by task and map index."""
        found = self._tasks.get_task_instances(dag_id, run_id, limit=200, _request_timeout=TIMEOUT_SECONDS)
        return {(item.task_id, item.map_index): str(item.id) for item in found.task_instances}

    def sizes(self, dag_id: str, run_id: str) -> dict[str, int]:
        """Bytes of what the tasks of a run handed on, of the largest such value, and of the page of its tasks."""
        entries = self._results.get_xcom_entries(dag_id, run_id, "~", _request_timeout=TIMEOUT_SECONDS).xcom_entries
        values = [
            len(json.dumps(self._results.get_xcom_entry(
                dag_id=dag_id, dag_run_id=run_id, task_id=entry.task_id, xcom_key=entry.key, map_index=entry.map_index,
                deserialize=False, _request_timeout=TIMEOUT_SECONDS,
            ).actual_instance.value))
            for entry in entries
        ]  # fmt: skip
        page = self._tasks.get_task_instances_with_http_info(dag_id, run_id, _request_timeout=TIMEOUT_SECONDS)
        return {"xcom_bytes": sum(values), "largest_xcom_bytes": max(values), "page_bytes": len(page.raw_data)}

    def runs_since(self, dag_id: str, instant: datetime) -> list[str]:
        """Ids of the runs that were started after an instant."""
        found = self._runs.get_dag_runs(dag_id, start_date_gte=instant, limit=100, _request_timeout=TIMEOUT_SECONDS)
        return [run.dag_run_id for run in found.dag_runs]


def service_pids() -> dict[str, int]:
    """Process of every service that runs.

    Raises:
        ServiceError: the platform is not up.
    """
    pids = {name: process.pid for name, process in supervise.processes().items() if process.pid}
    if not pids:
        raise ServiceError(f"no service of {settings().home} is running", "start the platform with `lake up`")
    return pids


def wait_until_idle(airflow: Watched) -> None:
    """Wait until no run of ours or of what follows a publish is at work.

    Raises:
        LakeError: one still is after half an hour.
    """
    deadline = time.monotonic() + IDLE_TIMEOUT_SECONDS
    while active := [f"{dag} {run}" for dag in (PIPELINE, *FOLLOWERS) for run in airflow.active_runs(dag)]:
        if time.monotonic() > deadline:
            raise LakeError(
                f"{', '.join(active)} still at work after {IDLE_TIMEOUT_SECONDS} s",
                f"end it at {settings().airflow_url}, then repeat",
            )
        time.sleep(2)


def run(airflow: Watched, name: str, full: bool, shared: tuple[str, ...] = ()) -> tuple[Phase, dict[str, Any]]:
    """One run of the pipeline, until it is published; what it cost, and its receipt.

    The report and the alerts that follow are not part of it, but they are waited for, so that the next phase has the
    machine to itself.

    Args:
        shared: names of the marts of which the seconds are told apart from the others'.

    Raises:
        LakeError: the run failed; the failed task's last words are in the message.
    """
    for dag_id in (PIPELINE, *FOLLOWERS):
        airflow.unpause(dag_id)
    wait_until_idle(airflow)
    with Sampler(service_pids, tasks_below="airflow-scheduler") as sampler:
        run_id = airflow.trigger(PIPELINE, {"full": full})
        while (state := airflow.run_state(PIPELINE, run_id)) not in ENDED:
            time.sleep(POLL_SECONDS)
    tasks = airflow.tasks(PIPELINE, run_id)
    if state == "failed":
        raise _failure(airflow, run_id, tasks)
    asked_at, ended_at = airflow.run_span(PIPELINE, run_id)
    receipt = receipts.of_run(airflow.result(PIPELINE, run_id, "publish")["run_id"]).to_json()
    phase = _phase(name, (ended_at - asked_at).total_seconds(), tasks, airflow.task_ids(PIPELINE, run_id), sampler)
    phase = replace(phase, steps=marts.seconds_apart(receipt["run_id"], shared))
    if not receipt["unchanged_since"]:
        _wait_for_followers(airflow, asked_at)
    return phase, receipt


def kept(airflow: Watched) -> dict[str, int]:
    """What the last run left in Airflow, of which its pages are made: bytes of all that its tasks handed on, and
    characters of the longest label of a task."""
    run_id = airflow.newest_run(PIPELINE, BEFORE_ALL)
    assert run_id, "there was one"
    tasks = [task for task in airflow.tasks(PIPELINE, run_id) if task.state == "success"]
    return {
        "tasks": len(tasks),
        "label_characters": max((len(task.label) for task in tasks if task.map_index >= 0), default=0),
        **airflow.sizes(PIPELINE, run_id),
    }


def revenue_and_units() -> tuple[Decimal, int]:
    """What the published mart says."""
    from lake.platform import sql

    row = sql.rows("SELECT sum(revenue) AS revenue, sum(units) AS units FROM marts.daily_revenue")[0]
    return Decimal(row["revenue"]), int(row["units"])


def mart_rows(marts: tuple[str, ...]) -> dict[str, int]:
    """Rows of the published marts."""
    from lake.platform import sql

    return {mart: int(sql.rows(f"SELECT count(*) AS n FROM marts.{mart}")[0]["n"]) for mart in marts}


def _phase(
    name: str, wall: float, tasks: list[TaskState], ids: Mapping[tuple[str, int], str], sampler: Sampler
) -> Phase:
    worked = [(task.started_at, task.ended_at) for task in tasks if task.started_at and task.ended_at]
    return Phase(
        name=name,
        wall_seconds=wall,
        cpu_seconds=sum(sampler.cpu_by_service.values()),
        cpu_by_service=sampler.cpu_by_service,
        peak_bytes=sampler.peak_bytes,
        peak_by_service=sampler.peak_by_service,
        tasks=[
            TaskTime(task.name, task.seconds, sampler.peak_by_task.get(ids[task.task_id, task.map_index], 0))
            for task in tasks
        ],
        orchestration_share=orchestration_share(wall, worked),
        observer_cpu_seconds=sampler.observer_cpu_seconds,
    )


def _failure(airflow: Watched, run_id: str, tasks: list[TaskState]) -> LakeError:
    failed = next((task for task in tasks if task.state == "failed"), None)
    words = "\n".join(airflow.log_tail(PIPELINE, run_id, failed, lines=12)) if failed else "no task failed"
    return LakeError(
        f"{PIPELINE} {run_id} failed in {failed.name if failed else 'Airflow'}. Its last words:\n{words}",
        f"the whole log: {settings().airflow_url}/dags/{PIPELINE}/runs/{run_id}",
    )


def _wait_for_followers(airflow: Watched, asked_at: datetime) -> None:
    """Wait until the scheduler has made the runs that the event asks for, and they have ended. They may begin before
    the run that they follow has come to its end."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if all(airflow.runs_since(dag_id, asked_at) for dag_id in FOLLOWERS):
            break
        time.sleep(POLL_SECONDS)
    wait_until_idle(airflow)
