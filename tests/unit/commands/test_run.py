"""Which active run `lake run` follows instead of queueing another one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import pytest

from lake.commands.run import EXTRACT, PIPELINE, joinable
from lake.platform.airflow import Airflow, TaskState

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def state_of(task_id: str, state: str, tries: int = 0) -> TaskState:
    return TaskState(task_id, -1, "-1", state, NOON if tries else None, None, max(tries, 1))


class Active:
    """Airflow with some active runs, the oldest first."""

    def __init__(self, **runs: list[TaskState]) -> None:
        self._runs = runs

    def active_runs(self, dag_id: str) -> list[str]:
        assert dag_id == PIPELINE
        return list(self._runs)

    def tasks(self, dag_id: str, run_id: str) -> list[TaskState]:
        assert dag_id == PIPELINE
        return self._runs[run_id]


WAITING = [state_of("start", "running", tries=1), state_of(EXTRACT, "waiting")]
QUEUED = [state_of("start", "success", tries=1), state_of(EXTRACT, "queued")]
READING = [state_of("start", "success", tries=1), state_of(EXTRACT, "running", tries=1)]
AGAIN = [state_of("start", "success", tries=1), state_of(EXTRACT, "up_for_retry", tries=1)]
LATER = [state_of(EXTRACT, "success", tries=1), state_of("raw", "running", tries=1)]


@pytest.mark.parametrize(
    ("runs", "followed"),
    [
        ({}, None),
        ({"scheduled": []}, "scheduled"),
        ({"scheduled": WAITING}, "scheduled"),
        ({"scheduled": QUEUED}, "scheduled"),
        ({"scheduled": READING}, None),
        ({"scheduled": AGAIN}, None),
        ({"scheduled": LATER}, None),
        ({"scheduled": LATER, "manual": WAITING}, "manual"),
        ({"scheduled": WAITING, "manual": WAITING}, "scheduled"),
    ],
)
def test_a_run_that_has_not_begun_to_read_is_followed(runs: dict[str, list[TaskState]], followed: str | None) -> None:
    assert joinable(cast(Airflow, Active(**runs))) == followed
