"""Faults of Airflow: tasks that fail and hang in DAGs of the stress test's own, and a scheduler that is dead."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from lake.errors import LakeError
from lake.platform import airflow
from lake.platform.airflow import Airflow
from lake.runtime import supervise
from lake.settings import settings
from tests.stress.on_databases import until
from tests.stress.stage import Stage, start

FAILS, HANGS, OFTEN = "stress_fails", "stress_hangs", "stress_often"
TASK = "work"
SCHEDULER = "airflow-scheduler"

DAGS = f'''
"""DAGs of the stress test. They have no callbacks: what goes wrong in them Prometheus alone can tell."""
import time
from airflow.sdk import CronTriggerTimetable, Param, dag, get_current_context, task

OURS = {{"catchup": False, "max_active_runs": 1, "tags": ["shoplake"], "default_args": {{"retries": 0}}}}

@dag("{FAILS}", schedule=None, **OURS)
def fails():
    @task
    def {TASK}():
        raise RuntimeError("as it is told to")
    {TASK}()

@dag("{HANGS}", schedule=None, params={{"seconds": Param(1, type="integer")}}, **OURS)
def hangs():
    @task
    def {TASK}():
        time.sleep(get_current_context()["params"]["seconds"])
    {TASK}()

@dag("{OFTEN}", schedule=CronTriggerTimetable("* * * * * */20", timezone="UTC"), **OURS)
def often():
    @task
    def {TASK}():
        pass
    {TASK}()

fails()
hangs()
often()
'''


def write_dags() -> Path:
    """Let Airflow have the DAGs; the file, which is to be removed in the end."""
    file = Path(settings().dags) / "stress.py"
    file.write_text(DAGS)
    return file


@contextmanager
def task_fails(stage: Stage) -> Iterator[float]:
    """A task raises. It is over when an hour has brought no other failure."""
    with Airflow() as session:
        _trigger(session, FAILS)
    yield time.time()


@contextmanager
def task_hangs(stage: Stage) -> Iterator[float]:
    """A task does not come to its end. Mended as the runbook says: it is marked failed on its page."""
    with Airflow() as session:
        short = _trigger(session, HANGS, seconds=1)
        until(lambda: session.run_state(HANGS, short) == "success", 240)
        run = _trigger(session, HANGS, seconds=3000)
        until(lambda: [task.state for task in session.tasks(HANGS, run)] == ["running"], 240)
        (hanging,) = session.tasks(HANGS, run)
        assert hanging.started_at
        try:
            yield hanging.started_at.timestamp()
        finally:
            mark_failed(HANGS, run)


@retry(retry=retry_if_exception_type(LakeError), wait=wait_fixed(2), stop=stop_after_delay(180), reraise=True)
def _trigger(session: Airflow, dag_id: str, **conf: int) -> str:
    """Start a run, once Airflow has read the file. One that it knew before is there sooner than it can be run."""
    session.unpause(dag_id)
    return session.trigger(dag_id, conf)


def mark_failed(dag_id: str, run_id: str) -> None:
    """As the button on the task's page does."""
    address = f"{settings().airflow_url}/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{TASK}"
    bearer = {"Authorization": f"Bearer {airflow._token()}"}
    answer = httpx.patch(address, json={"new_state": "failed"}, headers=bearer, timeout=60, trust_env=False)
    answer.raise_for_status()


@contextmanager
def scheduler_dead(stage: Stage) -> Iterator[float]:
    """No run is made any more of a DAG that had one three times a minute."""
    with Airflow() as session:
        session.unpause(OFTEN)
        now = datetime.now(UTC)
        until(lambda: any(run.dag_id == OFTEN for run in session.ended_since(now)), 240)
    supervise.stop_process(SCHEDULER)
    began = time.time()
    try:
        yield began
    finally:
        start(SCHEDULER)
