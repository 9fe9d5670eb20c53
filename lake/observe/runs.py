"""The runs of our DAGs: how long they and their tasks took, what is at work, and how often one is due.

After a first look at each DAG two questions to Airflow are enough, whatever it runs: what is at work, and what has
ended since.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

from croniter import croniter  # type: ignore[import-untyped]

from lake.alerts.runs import TAG
from lake.observe.airflows import Sessions
from lake.observe.metrics import INTERVAL, RUN_DURATION, RUN_ENDED, TASK_DURATION, TASK_RUNNING, Sample
from lake.observe.news import Remembered
from lake.platform.airflow import ENDED, Airflow, DagState, RunState, TaskState

DAGS_SECONDS = 120.0
"""How old what is known of the DAGs themselves may be."""

LOOKED_BACK = 3
"""Scheduled runs: the first one of a week has a weekend before it, and what ended last did so before that."""


@dataclass
class Known:
    """What is known of the runs of our DAGs.

    Attributes:
        ended: by DAG and state, the run that ended last.
        tasks: by DAG, the tasks of the run that ended last.
    """

    ended: dict[tuple[str, str], RunState] = field(default_factory=dict)
    tasks: dict[str, list[TaskState]] = field(default_factory=dict)

    def newest(self, dag_id: str) -> RunState | None:
        """The run of a DAG that ended last, in whatever state."""
        found = [run for (of, _), run in self.ended.items() if of == dag_id]
        return max(found, key=_ended_at, default=None)


class Runs:
    """Remembers what has ended, so that nothing is asked twice."""

    def __init__(self, sessions: Sessions | None = None) -> None:
        self._sessions = sessions or Sessions()
        self._dags: Remembered[list[DagState]] = Remembered(DAGS_SECONDS)
        self._known = Known()
        self._looked_at: set[str] = set()

    def collect(self) -> list[Sample]:
        """What Airflow knows of the runs.

        Raises:
            ServiceError: Airflow is away.
        """
        now = datetime.now(UTC)
        with self._sessions.session() as airflow:
            dags = self._dags.get(TAG, lambda: airflow.dags(TAG))
            ours = {dag.dag_id for dag in dags}
            self._note(airflow, self._ended(airflow, ours))
            at_work = [
                task
                for run in airflow.under_way()
                if run.dag_id in ours
                for task in airflow.tasks(run.dag_id, run.run_id)
                if task.state == "running"
            ]
        return list(samples(dags, self._known, at_work, now))

    def _ended(self, airflow: Airflow, ours: set[str]) -> list[RunState]:
        """Runs that have ended: of a DAG that is new, the last one in each state; of the others, those since then."""
        since = max(map(_ended_at, self._known.ended.values()), default=None)
        found = [run for run in airflow.ended_since(since) if run.dag_id in ours] if since else []
        for dag_id in sorted(ours - self._looked_at):
            last = (airflow.last_ended(dag_id, [state]) for state in sorted(ENDED))
            found += [run for run in last if run]
        self._looked_at |= ours
        return found

    def _note(self, airflow: Airflow, ended: Iterable[RunState]) -> None:
        changed = set()
        for run in ended:
            place = run.dag_id, run.state
            if run.ended_at and (place not in self._known.ended or self._known.ended[place] != run):
                self._known.ended[place] = run
                changed.add(run.dag_id)
        for dag_id in changed:
            newest = self._known.newest(dag_id)
            assert newest, "it has just been noted"
            self._known.tasks[dag_id] = airflow.tasks(dag_id, newest.run_id)


def samples(dags: Iterable[DagState], known: Known, at_work: Iterable[TaskState], now: datetime) -> Iterator[Sample]:
    """What the runs come to at an instant.

    Args:
        at_work: tasks that are running.
    """
    for dag in dags:
        newest = known.newest(dag.dag_id)
        if newest and newest.seconds is not None:
            yield RUN_DURATION(newest.seconds, dag.dag_id)
        for state in sorted(ENDED):
            if run := known.ended.get((dag.dag_id, state)):
                yield RUN_ENDED(_ended_at(run).timestamp(), dag.dag_id, state)
        done = (task for task in known.tasks.get(dag.dag_id, ()) if task.started_at and task.ended_at)
        for (_, task_id), seconds in _longest(done, now).items():
            yield TASK_DURATION(seconds, dag.dag_id, task_id)
        if not dag.is_paused and (interval := interval_seconds(dag.schedule, now)):
            yield INTERVAL(interval, dag.dag_id)
    for place, seconds in _longest(at_work, now).items():
        yield TASK_RUNNING(seconds, *place)


def interval_seconds(cron: str, now: datetime) -> float | None:
    """The longest time between the scheduled runs around an instant; None for a schedule that is no cron."""
    if not croniter.is_valid(cron):
        return None
    runs = croniter(cron, now)
    # Back from the next one, so that one which is due at this very instant is not passed over.
    instants: list[datetime] = [runs.get_next(datetime), *(runs.get_prev(datetime) for _ in range(LOOKED_BACK))]
    return max((later - earlier).total_seconds() for later, earlier in pairwise(instants))


def _longest(tasks: Iterable[TaskState], now: datetime) -> Mapping[tuple[str, str], float]:
    """Seconds by DAG and task; of a mapped task, of the instance that took longest."""
    found: dict[tuple[str, str], float] = {}
    for task in tasks:
        if task.started_at:
            seconds = ((task.ended_at or now) - task.started_at).total_seconds()
            place = task.dag_id, task.task_id
            found[place] = max(seconds, found.get(place, 0.0))
    return found


def _ended_at(run: RunState) -> datetime:
    assert run.ended_at, "only runs that have ended are noted"
    return run.ended_at
