"""Airflow over its public API: trigger a DAG and follow its run.

Every call is the generated client's (`apache-airflow-client`, of Airflow's own version), with a time limit. It takes a
second of processor time to import, so only what speaks to Airflow may import this module:
docs/decisions/0025-airflow-s-own-md.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import urllib3
from airflow_client.client.api.dag_api import DAGApi
from airflow_client.client.api.dag_run_api import DagRunApi
from airflow_client.client.api.import_error_api import ImportErrorApi
from airflow_client.client.api.task_api import TaskApi
from airflow_client.client.api.task_instance_api import TaskInstanceApi
from airflow_client.client.api.x_com_api import XComApi
from airflow_client.client.api_client import ApiClient
from airflow_client.client.configuration import Configuration
from airflow_client.client.exceptions import ApiException, NotFoundException
from airflow_client.client.models.dag_patch_body import DAGPatchBody
from airflow_client.client.models.task_instance_response import TaskInstanceResponse
from airflow_client.client.models.trigger_dag_run_post_body import TriggerDAGRunPostBody
from pydantic import TypeAdapter
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from lake.errors import LakeError, ServiceError
from lake.settings import settings

_DURATION = TypeAdapter(timedelta)
"""Airflow writes one as ISO 8601 says."""

ENDED = frozenset({"success", "failed"})
ALL = "~"
"""Stands for every DAG, or run, in an address."""
PAGE = 100
"""Runs or tasks that are asked for at a time."""
TIMEOUT_SECONDS = 30
PATIENCE = urllib3.Retry(total=5, connect=0, backoff_factor=1)
"""A question that a busy Airflow does not answer in time is asked again; what changes something never is, and an
Airflow that is not there is told at once."""


@dataclass(frozen=True)
class TaskState:
    """One task instance of a run; ``seconds`` is how long it has worked, or worked.

    Attributes:
        instance_id: of its last try; another try of it has another one.
    """

    task_id: str
    map_index: int
    label: str
    state: str
    started_at: datetime | None
    ended_at: datetime | None
    try_number: int
    dag_id: str = ""
    run_id: str = ""
    instance_id: str = ""

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


@dataclass(frozen=True)
class DagState:
    """A DAG as Airflow knows it.

    Attributes:
        schedule: as Airflow's page shows it: a cron, or words.
    """

    dag_id: str
    is_paused: bool
    schedule: str = ""


@dataclass(frozen=True)
class Broken:
    """A file that cannot be imported, by its path in the folder of DAGs, and the last line of its traceback."""

    file: str
    error: str


@dataclass(frozen=True)
class RunState:
    """A run of a DAG; ``since`` is when it was begun or, before that, queued, and ``seconds`` how long it took."""

    dag_id: str
    run_id: str
    state: str
    since: datetime | None
    ended_at: datetime | None = None
    seconds: float | None = None


class Airflow:
    """A session with Airflow's API as its admin user."""

    def __init__(self) -> None:
        config = settings()
        access = Configuration(host=config.airflow_url, access_token=_token(), retries=PATIENCE)
        self._client = ApiClient(access)
        self._dags, self._runs = DAGApi(self._client), DagRunApi(self._client)
        self._tasks, self._results = TaskInstanceApi(self._client), XComApi(self._client)

    def __enter__(self) -> Airflow:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.rest_client.pool_manager.clear()

    @retry(retry=retry_if_exception_type(LookupError), wait=wait_fixed(1), stop=stop_after_delay(90), reraise=True)
    def unpause(self, dag_id: str) -> None:
        """Let the scheduler run a DAG; waits until the DAG processor has read its file."""
        body = DAGPatchBody(is_paused=False)
        with _explained():
            try:
                self._dags.patch_dag(dag_id, body, _request_timeout=TIMEOUT_SECONDS)
            except NotFoundException as error:
                raise LookupError(
                    f"Airflow does not know the DAG {dag_id!r}: look at `lake logs airflow-dag-processor`"
                ) from error

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> str:
        """Start a run by hand and return its id."""
        body = TriggerDAGRunPostBody(logical_date=None, conf=conf)
        with _explained():
            return self._runs.trigger_dag_run(dag_id, body, _request_timeout=TIMEOUT_SECONDS).dag_run_id

    def active_runs(self, dag_id: str) -> list[str]:
        """Ids of the runs that are queued or running, the oldest first."""
        with _explained():
            found = self._runs.get_dag_runs(
                dag_id, state=["queued", "running"], order_by=["run_after"], _request_timeout=TIMEOUT_SECONDS
            )
        return [run.dag_run_id for run in found.dag_runs]

    def dags(self, tag: str) -> list[DagState]:
        """The DAGs that have a tag. One whose file is broken is soon none of them."""
        with _explained():
            found = self._dags.get_dags(tags=[tag], limit=500, _request_timeout=TIMEOUT_SECONDS)
        return [DagState(each.dag_id, each.is_paused, each.timetable_summary or "") for each in found.dags]

    def broken(self) -> list[Broken]:
        """The files of DAGs that cannot be imported, at most `PAGE`."""
        with _explained():
            found = ImportErrorApi(self._client).get_import_errors(limit=PAGE, _request_timeout=TIMEOUT_SECONDS)
        return [Broken(each.filename, each.stack_trace.strip().rpartition("\n")[2]) for each in found.import_errors]

    def task_ids(self, dag_id: str) -> list[str]:
        """The tasks that a DAG consists of."""
        with _explained():
            found = TaskApi(self._client).get_tasks(dag_id, _request_timeout=TIMEOUT_SECONDS)
        return [str(each.task_id) for each in found.tasks if each.task_id]

    def run_limit(self, dag_id: str) -> timedelta | None:
        """How long a run of a DAG may take, if that is limited."""
        with _explained():
            said = self._dags.get_dag_details(dag_id, _request_timeout=TIMEOUT_SECONDS).dag_run_timeout
        return None if said is None else _DURATION.validate_python(said)

    def unended(self, dag_id: str) -> list[RunState]:
        """The runs that are queued or running."""
        return self._run_states(dag_id, state=["queued", "running"], order_by=["run_after"])

    def last_ended(self, dag_id: str, states: Collection[str] = ENDED) -> RunState | None:
        """The run that ended last in one of some states, if any has."""
        found = self._run_states(dag_id, state=sorted(states), order_by=["-end_date"], limit=1)
        return found[0] if found else None

    def under_way(self) -> list[RunState]:
        """The runs of all DAGs that are at work."""
        return self._run_states(ALL, state=["running"], order_by=["run_after"], limit=PAGE)

    def ended_since(self, instant: datetime) -> list[RunState]:
        """The runs of all DAGs that have ended since an instant, the first ones that did; at most `PAGE`."""
        return self._run_states(ALL, state=sorted(ENDED), end_date_gte=instant, order_by=["end_date"], limit=PAGE)

    def newest_runs(self, dag_id: str) -> list[RunState]:
        """The runs of a DAG that were begun last, at most `PAGE`."""
        return self._run_states(dag_id, order_by=["-start_date"], limit=PAGE)

    def _run_states(self, dag_id: str, **asked: Any) -> list[RunState]:
        with _explained():
            found = self._runs.get_dag_runs(dag_id, **asked, _request_timeout=TIMEOUT_SECONDS)
        return [
            RunState(
                run.dag_id,
                run.dag_run_id,
                run.state.value,
                run.start_date or run.queued_at,
                run.end_date,
                None if run.duration is None else float(run.duration),
            )
            for run in found.dag_runs
        ]

    def newest_run(self, dag_id: str, after: datetime) -> str | None:
        """Id of the newest run that was made after an instant, if there is one."""
        with _explained():
            found = self._runs.get_dag_runs(
                dag_id, order_by=["-run_after"], limit=1, run_after_gte=after, _request_timeout=TIMEOUT_SECONDS
            )
        return found.dag_runs[0].dag_run_id if found.dag_runs else None

    def run_state(self, dag_id: str, run_id: str) -> str:
        """``queued``, ``running``, ``success`` or ``failed``."""
        with _explained():
            return str(self._runs.get_dag_run(dag_id, run_id, _request_timeout=TIMEOUT_SECONDS).state.value)

    def tasks(self, dag_id: str, run_id: str) -> list[TaskState]:
        """The run's task instances in the order of their start; those not started come last."""
        with _explained():
            answer = self._tasks.get_task_instances(dag_id, run_id, limit=200, _request_timeout=TIMEOUT_SECONDS)
        found = [_task(item) for item in answer.task_instances]
        return sorted(found, key=lambda task: (task.started_at is None, task.started_at or 0, task.task_id))

    def failed_since(self, instant: datetime, offset: int = 0) -> list[TaskState]:
        """The tasks of all DAGs that have failed for good since an instant, and have not been done again since then, in
        the order in which they did; at most `PAGE`."""
        with _explained():
            answer = self._tasks.get_task_instances(
                ALL,
                ALL,
                state=["failed"],
                end_date_gte=instant,
                order_by=["end_date"],
                limit=PAGE,
                offset=offset,
                _request_timeout=TIMEOUT_SECONDS,
            )
        return [_task(item) for item in answer.task_instances]

    def error_class(self, task: TaskState) -> str:
        """The class of the error that a task's last try ended with, as its log has it; empty where it has none."""
        raised = [
            str(failure["exc_type"])
            for event in self._log(task.dag_id, task.run_id, task)
            # The first is the error itself, behind it are those that it was raised from.
            for failure in (event.get("error_detail") or [])[:1]
        ]
        return raised[-1] if raised else ""

    def result(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """What a task returned."""
        with _explained():
            answer = self._results.get_xcom_entry(
                dag_id=dag_id,
                dag_run_id=run_id,
                task_id=task_id,
                xcom_key="return_value",
                deserialize=False,
                _request_timeout=TIMEOUT_SECONDS,
            )
        assert answer.actual_instance, "the client has decoded an entry"
        return answer.actual_instance.value

    def log_tail(self, dag_id: str, run_id: str, task: TaskState, lines: int = 30) -> Iterator[str]:
        """The last lines of a task's log, without time stamps."""
        for event in self._log(dag_id, run_id, task)[-lines:]:
            yield str(event.get("event", ""))
            for failure in event.get("error_detail") or []:
                yield f"{failure['exc_type']}: {failure['exc_value']}"

    def _log(self, dag_id: str, run_id: str, task: TaskState) -> list[dict[str, Any]]:
        with _explained():
            answer = self._tasks.get_log_with_http_info(
                dag_id,
                run_id,
                task.task_id,
                task.try_number,
                map_index=task.map_index,
                full_content=True,
                _request_timeout=TIMEOUT_SECONDS,
            )
        # Not the decoded answer: of an event it keeps only text and time, and an exception's words are beside them.
        return [event for event in json.loads(answer.raw_data)["content"] if isinstance(event, dict)]


def _token() -> str:
    """The client knows everything below ``/api/v2``; logging in is the auth manager's own address."""
    config = settings()
    login = {"username": config.airflow_user, "password": config.airflow_password.get_secret_value()}
    with _explained():
        # To log in twice changes nothing.
        patience = PATIENCE.new(allowed_methods=["POST"])
        address = f"{config.airflow_url}/auth/token"
        answer = urllib3.request("POST", address, json=login, timeout=TIMEOUT_SECONDS, retries=patience)
        if answer.status >= 400:
            raise ApiException(answer.status, answer.reason, body=answer.data.decode(errors="replace"))
    return str(answer.json()["access_token"])


@contextmanager
def _explained() -> Iterator[None]:
    """Turn the client's errors into ours."""
    try:
        yield
    except ApiException as error:
        raise LakeError(
            f"Airflow refused: {error.status} {error.reason} {str(error.body)[:500]}", "look at `lake logs airflow-api`"
        ) from error
    except urllib3.exceptions.HTTPError as error:
        reason = getattr(error, "reason", error)
        raise ServiceError(
            f"Airflow at {settings().airflow_url} does not answer: {reason}", "start it with `lake up`"
        ) from error


def _task(item: TaskInstanceResponse) -> TaskState:
    return TaskState(
        task_id=item.task_id,
        map_index=item.map_index,
        label=item.rendered_map_index or str(item.map_index),
        state=item.state.value if item.state else "waiting",
        started_at=item.start_date,
        ended_at=item.end_date,
        try_number=max(item.try_number, 1),
        dag_id=item.dag_id,
        run_id=item.dag_run_id,
        instance_id=str(item.id),
    )
