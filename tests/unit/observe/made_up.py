"""An Airflow that knows what a test tells it, and counts what it is asked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from lake.errors import LakeError
from lake.observe.airflows import Sessions
from lake.platform.airflow import ENDED, PAGE, Airflow, DagState, RunState, TaskState

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def run(dag_id: str, run_id: str, state: str, ended: datetime | None, took: float = 60) -> RunState:
    """A run; one without an end is at work."""
    return RunState(dag_id, run_id, state, (ended or NOON) - seconds(took), ended, took if ended else None)


def task(
    of: RunState, task_id: str, state: str, took: float | None, ended: datetime | None = NOON, **more: Any
) -> TaskState:
    """A task of a run; one that took no time was not begun, one without an end is at work since so long before noon."""
    began = None if took is None else (ended or NOON) - seconds(took)
    return TaskState(
        task_id, more.pop("map_index", -1), more.pop("label", "-1"), state, began, ended if began else None, 1,
        of.dag_id, of.run_id, more.pop("instance_id", f"{of.run_id}/{task_id}"),
    )  # fmt: skip


@dataclass
class MadeUp:
    """What it knows.

    Attributes:
        logs: class of the error in the log of a task's try, by the try's id; of those that are not here there is none.
    """

    known: list[DagState] = field(default_factory=lambda: [DagState("shop_lake", False, "0 * * * *")])
    runs: list[RunState] = field(default_factory=list)
    done: list[TaskState] = field(default_factory=list)
    logs: dict[str, str] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    down: Exception | None = None

    def sessions(self) -> Sessions:
        """Sessions with it."""
        return Sessions(lambda: cast(Airflow, self))

    def __getattribute__(self, name: str) -> Any:
        found = object.__getattribute__(self, name)
        if callable(found) and name != "sessions" and not name.startswith("_"):
            if (down := object.__getattribute__(self, "down")) is not None:
                raise down
            object.__getattribute__(self, "asked")[name] += 1
        return found

    def dags(self, tag: str) -> list[DagState]:
        assert tag == "shoplake"
        return self.known

    def task_ids(self, dag_id: str) -> list[str]:
        return sorted({each.task_id for each in self.done if each.dag_id == dag_id})

    def last_ended(self, dag_id: str, states: Any = ENDED) -> RunState | None:
        found = [each for each in self.runs if each.dag_id == dag_id and each.state in states and each.ended_at]
        return max(found, key=_end, default=None)

    def ended_since(self, instant: datetime) -> list[RunState]:
        found = [each for each in self.runs if each.state in ENDED and each.ended_at and each.ended_at >= instant]
        return sorted(found, key=_end)[:PAGE]

    def under_way(self) -> list[RunState]:
        return [each for each in self.runs if each.state == "running"]

    def newest_runs(self, dag_id: str) -> list[RunState]:
        return [each for each in self.runs if each.dag_id == dag_id]

    def tasks(self, dag_id: str, run_id: str) -> list[TaskState]:
        return [each for each in self.done if (each.dag_id, each.run_id) == (dag_id, run_id)]

    def failed_since(self, instant: datetime, offset: int = 0) -> list[TaskState]:
        found = [each for each in self.done if each.state == "failed" and each.ended_at and each.ended_at >= instant]
        return sorted(found, key=lambda each: cast(datetime, each.ended_at))[offset : offset + PAGE]

    def error_class(self, of: TaskState) -> str:
        if of.instance_id not in self.logs:
            raise LakeError("Airflow refused: 404 Not Found")
        return self.logs[of.instance_id]


def _end(of: RunState) -> datetime:
    return cast(datetime, of.ended_at)
