"""Tasks that failed for good, counted, and by the class of the error that each ended with.

Airflow knows each failure, and the log of the task its error; both are asked once, when the failure is new. What was
counted is kept in the object store, because Airflow forgets its history after some weeks and a counter must not fall.
Errors outside of Airflow's tasks, of a person's `lake` command, say, are seen by that person and counted nowhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lake.alerts.runs import TAG
from lake.errors import LakeError, ServiceError
from lake.observe import bounds
from lake.observe.airflows import Sessions
from lake.observe.metrics import ERRORS, TASK_FAILURES, Sample
from lake.observe.news import Remembered
from lake.platform import storage
from lake.platform.airflow import PAGE, Airflow, TaskState
from lake.settings import settings

ADDRESS = f"{storage.AUDIT}/observe/failures.json"
UNKNOWN = "unknown"
"""Class of an error that nobody has written down: the task was killed, or its log is gone."""

OVERLAP = timedelta(minutes=10)
"""For which failures are remembered one by one: several may end at one instant, and Airflow may tell of one late."""

TASKS_SECONDS = 600.0


@dataclass
class Counted:
    """What was counted.

    Attributes:
        since: when the newest failure was that is counted; ISO 8601.
        seen: tries that are counted, of the last minutes before that, with when they ended.
        tasks: failures by DAG and task.
        classes: failures by the class of the error.
    """

    since: str
    seen: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, dict[str, int]] = field(default_factory=dict)
    classes: dict[str, int] = field(default_factory=dict)

    @property
    def from_instant(self) -> datetime:
        """From when on failures may not be counted yet."""
        return datetime.fromisoformat(self.since) - OVERLAP

    def see(self, task: TaskState) -> None:
        """Remember a failure."""
        assert task.ended_at, "it has failed"
        ended = task.ended_at.astimezone(UTC).isoformat()
        self.since = max(self.since, ended)
        self.seen[task.instance_id] = ended

    def add(self, task: TaskState, error: str) -> None:
        """Count a failure."""
        of_dag = self.tasks.setdefault(task.dag_id, {})
        of_dag[task.task_id] = of_dag.get(task.task_id, 0) + 1
        self.classes[error] = self.classes.get(error, 0) + 1

    def forget(self) -> None:
        """Forget the tries of which nobody will tell again."""
        self.seen = {one: at for one, at in self.seen.items() if datetime.fromisoformat(at) >= self.from_instant}


class Failures:
    """Counts on from what was counted."""

    def __init__(self, sessions: Sessions | None = None) -> None:
        self._sessions = sessions or Sessions()
        self._tasks: Remembered[list[tuple[str, str]]] = Remembered(TASKS_SECONDS)

    def collect(self) -> list[Sample]:
        """All failures that were ever counted, those that are new among them.

        Raises:
            ServiceError: Airflow or the object store is away. What was not kept is counted next time.
        """
        counted = read()
        with self._sessions.session() as airflow:
            tasks = self._tasks.get(TAG, lambda: _tasks(airflow))
            for page in _pages(airflow, counted.from_instant):
                if new := [task for task in page if task.instance_id not in counted.seen]:
                    if {task.dag_id for task in new} - {dag_id for dag_id, _ in tasks}:
                        # Of somebody else's DAG, or of one that is newer than what is remembered.
                        tasks = self._tasks.renew(TAG, lambda: _tasks(airflow))
                    ours = {dag_id for dag_id, _ in tasks}
                    for task in new:
                        counted.see(task)
                        if task.dag_id in ours:
                            counted.add(task, _error(airflow, task))
                    # After each page: there may be many logs to look into.
                    storage.put(ADDRESS, json.dumps(asdict(counted), indent=1).encode(), "application/json")
        counted.forget()
        return list(samples(counted, tasks))


def read() -> Counted:
    """What was counted; in the beginning nothing, and all that Airflow still knows is to be."""
    try:
        return Counted(**json.loads(storage.get(ADDRESS)))
    except FileNotFoundError:
        return Counted((datetime.now(UTC) - timedelta(days=settings().log_days)).isoformat())


def _pages(airflow: Airflow, since: datetime) -> Iterator[list[TaskState]]:
    """What has failed since an instant."""
    offset = 0
    while True:
        page = [task for task in airflow.failed_since(since, offset) if task.ended_at]
        yield page
        if len(page) < PAGE:
            return
        offset += PAGE


def _error(airflow: Airflow, task: TaskState) -> str:
    try:
        return airflow.error_class(task) or UNKNOWN
    except ServiceError:
        raise
    except LakeError:
        return UNKNOWN  # Airflow has no log of it any more


def _tasks(airflow: Airflow) -> list[tuple[str, str]]:
    """Our DAGs and their tasks."""
    return [(dag.dag_id, task_id) for dag in airflow.dags(TAG) for task_id in airflow.task_ids(dag.dag_id)]


def samples(counted: Counted, tasks: Iterable[tuple[str, str]]) -> Iterator[Sample]:
    """The counters. Each begins with 0: of one that begins with 1, Prometheus would not see that it has grown.

    Args:
        tasks: those that there are now, by DAG; failures of others stay counted.
    """
    failed = dict.fromkeys(tasks, 0)
    failed |= {(dag_id, task_id): n for dag_id, found in counted.tasks.items() for task_id, n in found.items()}
    for place, count in sorted(failed.items()):
        yield TASK_FAILURES(count, *place)
    classes = dict.fromkeys([*_ours(LakeError), UNKNOWN, bounds.OTHER], 0) | bounded(counted.classes)
    for name, count in sorted(classes.items()):
        yield ERRORS(count, name)


def bounded(classes: Mapping[str, int]) -> dict[str, int]:
    """The first classes that were met, and all later ones as `bounds.OTHER`: a counter must not change its name."""
    names = list(classes)
    found = {name: classes[name] for name in names[: bounds.MOST_CLASSES]}
    rest = sum(classes[name] for name in names[bounds.MOST_CLASSES :])
    return found | {bounds.OTHER: found.get(bounds.OTHER, 0) + rest}


def _ours(kind: type[Any]) -> Iterator[str]:
    """Names of a class and of those that are made from it."""
    yield kind.__name__
    for each in kind.__subclasses__():
        yield from _ours(each)
