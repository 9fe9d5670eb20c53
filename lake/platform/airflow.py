"""Airflow over its public API: trigger a DAG and follow its run.

Airflow 3's stable REST API v2: https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from lake.errors import LakeError, ServiceError
from lake.settings import settings

ENDED = frozenset({"success", "failed"})


@dataclass(frozen=True)
class TaskState:
    """One task instance of a run; ``seconds`` is how long it has worked, or worked."""

    task_id: str
    map_index: int
    label: str
    state: str
    started_at: datetime | None
    ended_at: datetime | None
    try_number: int

    @property
    def seconds(self) -> float:
        """Wall time of the last try; 0 before it starts."""
        if not self.started_at:
            return 0.0
        return ((self.ended_at or datetime.now(self.started_at.tzinfo)) - self.started_at).total_seconds()

    @property
    def name(self) -> str:
        """Task id, with the label of a mapped one."""
        return f"{self.task_id} [{self.label}]" if self.map_index >= 0 else self.task_id


class Airflow:
    """A session with Airflow's API as its admin user."""

    def __init__(self) -> None:
        config = settings()
        self._http = httpx.Client(base_url=config.airflow_url, timeout=30)
        login = {"username": config.airflow_user, "password": config.airflow_password.get_secret_value()}
        token = self._call("POST", "/auth/token", json=login)["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> Airflow:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    @retry(retry=retry_if_exception_type(LookupError), wait=wait_fixed(1), stop=stop_after_delay(90), reraise=True)
    def unpause(self, dag_id: str) -> None:
        """Let the scheduler run a DAG; waits until the DAG processor has read its file."""
        response = self._http.patch(f"/api/v2/dags/{dag_id}", json={"is_paused": False})
        if response.status_code == httpx.codes.NOT_FOUND:
            raise LookupError(f"Airflow does not know the DAG {dag_id!r}: look at `lake logs airflow-dag-processor`")
        _refuse(response)

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> str:
        """Start a run by hand and return its id."""
        body = {"logical_date": None, "conf": conf}
        return str(self._call("POST", f"/api/v2/dags/{dag_id}/dagRuns", json=body)["dag_run_id"])

    def active_runs(self, dag_id: str) -> list[str]:
        """Ids of the runs that are queued or running, the oldest first."""
        query = {"state": ["queued", "running"], "order_by": "run_after"}
        return [
            run["dag_run_id"] for run in self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns", params=query)["dag_runs"]
        ]

    def newest_run(self, dag_id: str, after: datetime) -> str | None:
        """Id of the newest run that was made after an instant, if there is one."""
        query = {"order_by": "-run_after", "limit": 1, "run_after_gte": after.isoformat()}
        runs = self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns", params=query)["dag_runs"]
        return runs[0]["dag_run_id"] if runs else None

    def run_state(self, dag_id: str, run_id: str) -> str:
        """``queued``, ``running``, ``success`` or ``failed``."""
        return str(self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def tasks(self, dag_id: str, run_id: str) -> list[TaskState]:
        """The run's task instances in the order of their start; those not started come last."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        found = [_task(item) for item in self._call("GET", path, params={"limit": 200})["task_instances"]]
        return sorted(found, key=lambda task: (task.started_at is None, task.started_at or 0, task.task_id))

    def result(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """What a task returned."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        return self._call("GET", path, params={"deserialize": "false"})["value"]

    def log_tail(self, dag_id: str, run_id: str, task: TaskState, lines: int = 30) -> Iterator[str]:
        """The last lines of a task's log, without time stamps."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task.task_id}/logs/{task.try_number}"
        answer = self._call("GET", path, params={"map_index": task.map_index, "full_content": "true"})
        events = [event for event in answer["content"] if isinstance(event, dict)]
        for event in events[-lines:]:
            yield str(event.get("event", ""))
            for failure in event.get("error_detail") or []:
                yield f"{failure['exc_type']}: {failure['exc_value']}"

    def _call(self, method: str, path: str, **request: Any) -> Any:
        try:
            response = self._http.request(method, path, **request)
        except httpx.TransportError as error:
            raise ServiceError(
                f"Airflow at {settings().airflow_url} does not answer: {error}", "start it with `lake up`"
            ) from error
        _refuse(response)
        return response.json()


def _refuse(response: httpx.Response) -> None:
    if response.is_error:
        raise LakeError(
            f"Airflow refused {response.request.method} {response.request.url.path}: "
            f"{response.status_code} {response.text[:500]}",
            "look at `lake logs airflow-api`",
        )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _task(item: dict[str, Any]) -> TaskState:
    return TaskState(
        task_id=item["task_id"],
        map_index=item["map_index"],
        label=item.get("rendered_map_index") or str(item["map_index"]),
        state=item["state"] or "waiting",
        started_at=_instant(item["start_date"]),
        ended_at=_instant(item["end_date"]),
        try_number=max(item["try_number"], 1),
    )
