"""What every DAG shares: owner, retries, limits of time, who hears of a failure, and the asset of a published lake."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import CronTriggerTimetable, ExceptionRetryPolicy, Param, RetryAction, RetryRule
from airflow.sdk.exceptions import AirflowTaskTimeout
from callbacks import end_of_failure, tell_of_run, tell_of_task
from labels import label

from lake.errors import AuditError, ContractError, SparkTimeoutError
from lake.settings import settings

PUBLISHED = "lake://main/published"
"""Asset that changes when a run is published. Its event carries run_id, lake_commit and source_instant."""

TAGS = ["shoplake"]

MACROS = {"label": label}
"""What templates may call: a mapped task's label must be short whatever it holds."""


def _at(cron: str) -> CronTriggerTimetable | None:
    """A schedule in UTC. The first run is that of the next time that it names: unpausing starts nothing by itself."""
    return CronTriggerTimetable(cron, timezone="UTC", run_immediately=False) if cron else None


SCHEDULE = _at(settings().pipeline_schedule)
NIGHTLY = _at("30 3 * * *") if SCHEDULE else None
HOURLY = _at("20 * * * *") if SCHEDULE else None
WATCH = _at(settings().watch_schedule)

TASK_LIMIT = timedelta(minutes=settings().task_timeout_minutes)
"""How long one try of a task may take that has no limit of its own."""

PARITY_SCHEDULE = _at("30 1 * * *") if SCHEDULE else None
"""Hours before the other nightly work: a sweep of large tables takes its time."""

SPARK_LIMIT = timedelta(seconds=settings().spark_timeout_seconds, minutes=5)
"""How long a task of Spark may take: a little longer than Spark itself, whose own limit names the tables."""

RUN_LIMIT = 2 * TASK_LIMIT + 2 * SPARK_LIMIT
"""How long a run of the pipeline may take. Nothing waits for ever, also not after a restart of the services."""

# The same data and the same contract give the same answer again; what is away or busy may be back.
_RETRY_POLICY = ExceptionRetryPolicy(
    [
        RetryRule(
            [AuditError, ContractError, SparkTimeoutError, AirflowTaskTimeout],
            RetryAction.FAIL,
            reason="another try would find the same",
        )
    ]
)

DEFAULT_ARGS: dict[str, Any] = {
    "owner": "shoplake",
    "retries": 2,
    "retry_delay": timedelta(seconds=10),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=5),
    "retry_policy": _RETRY_POLICY,
    # What hangs is ended, and a person hears of it.
    "execution_timeout": TASK_LIMIT,
    "on_failure_callback": tell_of_task,
}

DAG: dict[str, Any] = {
    "catchup": False,
    "max_active_runs": 1,
    "default_args": DEFAULT_ARGS,
    "on_failure_callback": tell_of_run,
    "on_success_callback": end_of_failure,
}
"""Of every DAG. Beside it each says its schedule, its `dagrun_timeout`, its tags and its runbook."""

_NAME = {"type": "string"}
ASKED = {
    "full": Param(False, type="boolean", description="read tables whole"),
    "sources": Param([], type="array", items=_NAME, description="read tables of these sources alone"),
    "tables": Param([], type="array", items=_NAME, description="read these tables alone"),
}
"""What a run of the pipeline may be asked for."""

SOURCE: dict[str, Any] = {"pool": "source"}
"""Of the tasks that read a source. The pools are made at every start, sized by ``LAKE_SOURCE_SLOTS`` and the like."""

SPARK: dict[str, Any] = {"conn_id": "spark_connect", "execution_timeout": SPARK_LIMIT, "pool": "spark"}
"""Of the tasks that work with Spark."""

TRINO: dict[str, Any] = {"pool": "trino"}
"""Of the tasks that ask Trino."""

SHORT: dict[str, Any] = {"execution_timeout": timedelta(minutes=10)}
"""Of the tasks that ask little."""
