"""What every DAG shares: owner, retries, the name of the asset that a published lake is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import CronTriggerTimetable, ExceptionRetryPolicy, RetryAction, RetryRule
from airflow.sdk.exceptions import AirflowTaskTimeout
from labels import label

from lake.errors import AuditError, ContractError, SparkTimeoutError
from lake.settings import settings

PUBLISHED = "lake://main/published"
"""Asset that changes when a run is published. Its event carries run_id, lake_commit and source_instant."""

TAGS = ["shoplake"]

MACROS = {"label": label}
"""What templates may call: a mapped task's label must be short whatever it holds."""

_CRON = settings().pipeline_schedule

# The first scheduled run is that of the next full hour: unpausing starts nothing by itself.
SCHEDULE = CronTriggerTimetable(_CRON, timezone="UTC", run_immediately=False) if _CRON else None

NIGHTLY = CronTriggerTimetable("30 3 * * *", timezone="UTC", run_immediately=False) if _CRON else None

PARITY_SCHEDULE = CronTriggerTimetable("30 1 * * *", timezone="UTC", run_immediately=False) if _CRON else None
"""Hours before the other nightly work: a sweep of large tables takes its time."""

SPARK_LIMIT = timedelta(seconds=settings().spark_timeout_seconds, minutes=5)
"""How long a task of Spark may take: a little longer than Spark itself, whose own limit names the tables."""

RUN_LIMIT = timedelta(hours=1) + 2 * SPARK_LIMIT
"""How long a run may take. Nothing waits for ever, also not after a restart of the services."""

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
    "execution_timeout": timedelta(minutes=settings().task_timeout_minutes),
}

SPARK: dict[str, Any] = {"conn_id": "spark_connect", "execution_timeout": SPARK_LIMIT}
"""Of the tasks that work with Spark."""
