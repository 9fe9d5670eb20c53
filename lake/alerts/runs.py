"""Runs of Airflow that failed, did not end, or cannot begin because their DAG is broken.

Airflow's callbacks tell of failures at once. This finds what they could not tell: Alertmanager was away, or has been
restarted and forgot; the DAG processor was ended with the callback in its hands; the DAG is paused, and of a paused DAG
Airflow ends no run.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from lake.alerts import alertmanager, failures
from lake.alerts.alert import Alert
from lake.alerts.failures import Failure
from lake.alerts.look import Look
from lake.platform.airflow import Airflow, Broken, DagState, RunState

TAG = "shoplake"
UNENDED, BROKEN = "RunDoesNotEnd", "DagBroken"
SLACK = timedelta(minutes=15)
"""Beyond its limit. The scheduler looks at each run only now and then."""


def look(now: datetime) -> Look:
    """What is wrong with the runs of our DAGs.

    A failure is over when no run of its DAG is under way and the last one succeeded; an active run may be just about to
    fail, and its callbacks know more.

    Raises:
        ServiceError: Airflow or Alertmanager is away.
    """
    alerts: list[Alert] = []
    at_rest: set[str] = set()
    with Airflow() as airflow:
        for dag in airflow.dags(TAG):
            unended = airflow.unended(dag.dag_id)
            if not unended:
                at_rest.add(dag.dag_id)
            limit = airflow.run_limit(dag.dag_id)
            alerts += [_unended(dag, run, now) for run in unended if limit and _exceeds(run, limit, now)]
            last = airflow.last_ended(dag.dag_id)
            if last and last.state == "failed":
                alerts.append(_failed(airflow, last))
        alerts += [_broken(each) for each in airflow.broken()]

    def settled(labels: alertmanager.Labels) -> bool:
        is_failure = labels["alertname"] == failures.FAILED and labels.get("dag_id") in at_rest
        return is_failure or labels["alertname"] in (UNENDED, BROKEN)

    return Look(alerts, settled)


def _exceeds(run: RunState, limit: timedelta, now: datetime) -> bool:
    return run.since is not None and now - run.since > limit + SLACK


def _failed(airflow: Airflow, run: RunState) -> Alert:
    """As it was told already, or what Airflow knows of it."""
    told = alertmanager.up()
    for each in told:
        if failures.is_of(each.labels, run.dag_id) and each.annotations.get("run_id") == run.run_id:
            return each.again
    tasks = [task for task in airflow.tasks(run.dag_id, run.run_id) if task.state == "failed"]
    if not tasks:
        return Failure(
            run.dag_id, run.run_id, "the run failed without a task that did: it took longer than it may"
        ).alert
    return Failure(run.dag_id, run.run_id, failures.TASK_FAILED, tasks[0].name).alert


def _unended(dag: DagState, run: RunState, now: datetime) -> Alert:
    assert run.since, "it exceeds its limit"
    page = failures.page_of(run.dag_id, run.run_id)
    return Alert(
        UNENDED,
        "critical",
        f"a run of {run.dag_id} is {run.state} since {run.since:%Y-%m-%d %H:%M} UTC, longer than it may take",
        {"dag_id": run.dag_id},
        "unpause the DAG: Airflow ends no run of a paused one"
        if dag.is_paused
        else "look at `lake logs airflow-scheduler`, and end the run on its page",
        {"run_id": run.run_id, "page": page},
        page,
    )


def _broken(broken: Broken) -> Alert:
    return Alert(
        BROKEN,
        "critical",
        f"dags/{broken.file} cannot be imported, and its DAGs no longer run: {broken.error}",
        {"file": broken.file},
        f"`python dags/{broken.file}` says the same; correct it",
    )
