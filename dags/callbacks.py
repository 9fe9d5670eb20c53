"""What Airflow calls when a task or a run has ended, and who hears of it.

A task's callback is called in the task's own process once its last try has failed, also by its time limit; where that
process lost touch with Airflow, in the DAG processor, without the error. A task that was killed has none. The callbacks
of a run are called in the DAG processor, whatever the reason: a task that failed, a run that took longer than it may.
An exception in here would be logged and nothing else; what could not be told, the watch tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk.exceptions import AirflowTaskTimeout


def tell_of_task(context: Mapping[str, Any]) -> None:
    """A task has failed for good."""
    from lake.alerts import failures

    instance, error = context["ti"], context.get("exception")
    if isinstance(error, AirflowTaskTimeout):
        error = f"it took longer than its limit of {instance.task.execution_timeout} and was ended"
    what, way_out = failures.explained(error)
    failures.task_failed(
        failures.Failure(instance.dag_id, instance.run_id, what, _name(instance), way_out, page=instance.log_url)
    )


def tell_of_run(context: Mapping[str, Any]) -> None:
    """A run has failed. Where it was ended before a task had begun, Airflow names none."""
    from lake.alerts import failures

    instance = context.get("ti")
    name = _name(instance) if instance else ""
    failures.run_failed(context["dag"].dag_id, context["run_id"], context.get("reason") or "", name)


def end_of_failure(context: Mapping[str, Any]) -> None:
    """A run has succeeded."""
    from lake.alerts import failures

    failures.run_succeeded(context["dag"].dag_id)


def _name(instance: Any) -> str:
    """Task id, with the label of a mapped one."""
    index = getattr(instance, "map_index", None)
    if index is None or index < 0:
        return str(instance.task_id)
    return f"{instance.task_id} [{getattr(instance, 'rendered_map_index', None) or index}]"
