"""A DAG that fails reaches Alertmanager, through Airflow's own scheduler, however it fails."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tenacity import Retrying, stop_after_delay, wait_fixed

from lake.alerts import alertmanager
from lake.alerts.alertmanager import Up
from lake.platform.airflow import ENDED, Airflow
from lake.settings import settings
from tests.faults.record import Tell

PATIENCE_SECONDS = 240
MARK = uuid.uuid4().hex[:6]
"""Of this session: Airflow remembers the DAGs of an earlier one."""
DAG, DEAF = f"test_fails_{MARK}", f"test_is_deaf_{MARK}"
BROKEN = f"broken_{MARK}.py"
FILE = f'''
"""A DAG of the tests that fails as it is told to. What ends it is what ends every DAG."""
import os, signal, time
from datetime import timedelta
from airflow.sdk import Param, dag, get_current_context, task
from common import DAG, TAGS
from lake.errors import ServiceError

@task(retries=0, execution_timeout=timedelta(seconds=5))
def work():
    how = get_current_context()["params"]["how"]
    if how == "error":
        raise ServiceError("the thing at 192.0.2.1 does not answer", "start the thing")
    if how == "slow":
        time.sleep(600)
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)

@task(retries=0)
def deaf():
    """As a library does that never comes back from C: the task's own limit does not reach it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {{signal.SIGALRM}})
    time.sleep(600)

@dag("{DAG}", **DAG, schedule=None, dagrun_timeout=timedelta(minutes=10), params={{"how": Param("well")}}, tags=TAGS)
def fails():
    work()

@dag("{DEAF}", **DAG, schedule=None, dagrun_timeout=timedelta(seconds=20), tags=TAGS)
def is_deaf():
    deaf()

fails()
is_deaf()
'''


@pytest.fixture(scope="module")
def airflow(platform: None) -> Iterator[Airflow]:
    """Airflow with the two DAGs, and a file of which it cannot know what DAGs there are."""
    file, broken = Path(settings().dags) / f"never_silent_{MARK}.py", Path(settings().dags) / BROKEN
    file.write_text(FILE)
    broken.write_text("from airflow.sdk import dag, nothing_of_the_kind\n")
    try:
        with Airflow() as airflow:
            for dag_id in (DAG, DEAF, "watch"):
                airflow.unpause(dag_id)
            yield airflow
    finally:
        file.unlink()
        broken.unlink(missing_ok=True)


def run(airflow: Airflow, dag_id: str, **conf: str) -> tuple[str, str]:
    """Run a DAG to its end; id and state of the run."""
    run_id = airflow.trigger(dag_id, conf)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (state := airflow.run_state(dag_id, run_id)) not in ENDED:
        assert time.monotonic() < deadline, f"{dag_id} {run_id} is {state}"
        time.sleep(0.5)
    return run_id, state


def await_alert(dag_id: str, holds: Callable[[list[Up]], bool]) -> list[Up]:
    """The alerts of a DAG, once they are as they should be."""
    for attempt in Retrying(stop=stop_after_delay(PATIENCE_SECONDS), wait=wait_fixed(0.5), reraise=True):
        with attempt:
            found = [alert for alert in alertmanager.up() if alert.labels.get("dag_id") == dag_id]
            assert holds(found), found
    return found


def of_run(run_id: str) -> Callable[[list[Up]], bool]:
    return lambda found: [alert.annotations["run_id"] for alert in found] == [run_id]


@pytest.mark.fault("task_failed")
@pytest.mark.parametrize(
    ("how", "summary", "way_out"),
    [
        ("error", "task work: the thing at 192.0.2.1 does not answer", "start the thing"),
        ("slow", "task work: it took longer than its limit of 0:00:05 and was ended", "the log tells more"),
        ("killed", "task work: a task failed", "the log tells more"),
    ],
)
def test_a_task_that_fails_reaches_alertmanager(
    airflow: Airflow, how: str, summary: str, way_out: str, tell: Tell
) -> None:
    run_id, state = run(airflow, DAG, how=how)
    assert state == "failed"
    [alert] = await_alert(DAG, of_run(run_id))
    assert alert.annotations["summary"] == f"{DAG}, {summary}"
    assert alert.annotations["way_out"].startswith(way_out)
    tell(f"told to Alertmanager as “{summary}”, with its way out")


def test_the_next_success_ends_the_alert(airflow: Airflow) -> None:
    failed, _ = run(airflow, DAG, how="error")
    await_alert(DAG, of_run(failed))
    assert run(airflow, DAG, how="well")[1] == "success"
    await_alert(DAG, lambda found: found == [])


@pytest.mark.fault("run_hangs")
def test_a_task_that_hears_of_no_limit_is_ended_with_its_run(airflow: Airflow, tell: Tell) -> None:
    run_id, state = run(airflow, DEAF)
    assert state == "failed"
    [alert] = await_alert(DEAF, of_run(run_id))
    assert alert.annotations["summary"] == f"{DEAF}, task deaf: the run took longer than it may and was ended"
    tell("ended with its run, and told to Alertmanager")


@pytest.mark.fault("callback_lost")
def test_the_watch_tells_what_no_callback_could(airflow: Airflow, tell: Tell) -> None:
    failed, _ = run(airflow, DAG, how="error")
    await_alert(DAG, of_run(failed))
    alertmanager.tell([], lambda labels: labels.get("dag_id") == DAG)  # as if Alertmanager had forgotten it
    await_alert(DAG, lambda found: found == [])

    assert run(airflow, "watch")[1] == "success"
    [alert] = await_alert(DAG, of_run(failed))
    assert alert.annotations["summary"] == f"{DAG}, task work: a task failed"

    assert run(airflow, DAG, how="well")[1] == "success"
    await_alert(DAG, lambda found: found == [])
    tell("told again by the next look of the watch, which waits for no publish; ended by the next success")


@pytest.mark.thorough
def test_a_file_that_cannot_be_imported_is_told_by_the_watch(airflow: Airflow) -> None:
    """Airflow lists no DAG of it, as it does after a minute when a file breaks that it knew."""

    def is_told() -> bool:
        assert run(airflow, "watch")[1] == "success"
        return any(each.labels.get("file") == BROKEN for each in alertmanager.up())

    assert is_told()
    (Path(settings().dags) / BROKEN).unlink()
    for attempt in Retrying(stop=stop_after_delay(PATIENCE_SECONDS), wait=wait_fixed(5), reraise=True):
        with attempt:
            assert not is_told()
