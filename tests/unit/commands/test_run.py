"""Which active run `lake run` follows instead of queueing another one, and what it says while it follows."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from rich.console import Console

from lake.commands import run
from lake.commands.run import EXTRACT, PIPELINE, joinable
from lake.errors import LakeError
from lake.ledger.receipts import Receipt
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


READ = TaskState(EXTRACT, 0, "shop", "running", NOON, None, 1)
WAITED = state_of("publish", "waiting")


class Following:
    """Airflow with one run, of which every look shows the next state."""

    def __init__(self, *looks: list[TaskState], state: str = "success") -> None:
        self._looks = list(looks)
        self._state = state

    def run_state(self, dag_id: str, run_id: str) -> str:
        assert (dag_id, run_id) == (PIPELINE, "manual")
        return "running" if len(self._looks) > 1 else self._state

    def tasks(self, dag_id: str, run_id: str) -> list[TaskState]:
        return self._looks.pop(0)


def followed(airflow: Following, monkeypatch: pytest.MonkeyPatch, is_terminal: bool = False) -> list[str]:
    """What is printed, each look in a block of its own."""
    output = io.StringIO()
    console = Console(file=output, force_terminal=is_terminal, width=40)
    monkeypatch.setattr(run.time, "sleep", lambda seconds: output.write(f"-- {seconds} s later\n"))
    run._follow(cast(Airflow, airflow), PIPELINE, "manual", console)
    return output.getvalue().splitlines()


def test_without_a_terminal_every_task_has_a_line_when_it_starts_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = replace(READ, state="up_for_retry", ended_at=NOON + timedelta(seconds=9))
    done = replace(READ, state="success", ended_at=NOON + timedelta(seconds=3.21), try_number=2)
    published = TaskState("publish", -1, "-1", "success", NOON, NOON + timedelta(seconds=1), 1)
    airflow = Following(
        [WAITED],
        [READ, WAITED],
        [READ, WAITED],
        [lost, WAITED],
        [replace(READ, try_number=2), WAITED],
        [done, published],
    )
    assert followed(airflow, monkeypatch) == [
        "-- 0.5 s later",
        "shop_lake extract [shop]: running",
        "-- 0.5 s later",
        "-- 0.5 s later",
        "shop_lake extract [shop]: up_for_retry in 9.0 s",
        "-- 0.5 s later",
        "shop_lake extract [shop]: running (try 2)",
        "-- 0.5 s later",
        "shop_lake extract [shop]: success in 3.2 s (try 2)",
        "shop_lake publish: success in 1.0 s",
    ]


def test_with_a_terminal_there_is_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    done = replace(READ, state="success", ended_at=NOON + timedelta(seconds=3))
    printed = "\n".join(followed(Following([READ], [done]), monkeypatch, is_terminal=True))
    assert "seconds" in printed
    assert "shop_lake extract" not in printed


def test_a_run_that_was_ended_from_outside_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    skipped = [replace(READ, state="skipped", ended_at=NOON + timedelta(hours=3))]
    with pytest.raises(LakeError, match="failed without a task that did: it took longer than it may"):
        followed(Following(skipped, state="failed"), monkeypatch)


def test_a_run_of_hundreds_of_tables_is_summed_up_in_few_lines() -> None:
    """What was refused is told first, whatever the names are."""
    counts = {"mode": "full", "read": 3, "judged": 3, "valid": 3, "refused": 0, "deleted": 0, "source_rows": 3}
    tables = {f"t_{number:04d}": {**counts, "refused": int(number == 777)} for number in range(1000)}
    receipt = Receipt("r", "hash", "", "", "", "", "", tables=tables, checks={"checks": 1, "warnings": []})
    output = io.StringIO()
    run._summary(receipt.to_json(), [replace(state_of("publish", "success", 1), ended_at=NOON)], Console(file=output))
    lines = output.getvalue().splitlines()
    assert len(lines) < 60
    assert any(line.split()[:1] == ["t_0777"] for line in lines)
    assert "960 more tables with fewer rows that were refused, deleted or read" in lines
