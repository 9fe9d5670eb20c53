"""What is told of Airflow's runs, and how little it is asked for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lake.errors import ServiceError
from lake.observe import runs
from lake.observe.runs import Known, Runs, interval_seconds
from lake.platform.airflow import PAGE, DagState, TaskState
from tests.unit.observe.made_up import NOON, MadeUp, run, seconds, task
from tests.unit.observe.test_published import shown


def test_the_run_that_ended_last_and_its_tasks() -> None:
    good, bad = run("shop_lake", "r1", "success", NOON - seconds(3600), 90), run("shop_lake", "r2", "failed", NOON, 30)
    tasks = [
        task(bad, "extract", "success", 5, label="shop", map_index=0),
        task(bad, "extract", "success", 9, label="crm", map_index=1),
        task(bad, "clean", "failed", 4),
        task(bad, "publish", "upstream_failed", None),
    ]
    known = Known({("shop_lake", "success"): good, ("shop_lake", "failed"): bad}, {"shop_lake": tasks})
    dag = DagState("shop_lake", False, "0 * * * *")
    assert shown(runs.samples([dag], known, [], NOON)) == {
        ("dag_run_duration_seconds", "shop_lake"): 30,
        ("dag_run_ended_timestamp_seconds", "shop_lake", "success"): NOON.timestamp() - 3600,
        ("dag_run_ended_timestamp_seconds", "shop_lake", "failed"): NOON.timestamp(),
        ("task_duration_seconds", "shop_lake", "extract"): 9,
        ("task_duration_seconds", "shop_lake", "clean"): 4,
        ("dag_schedule_interval_seconds", "shop_lake"): 3600,
    }


def test_what_is_at_work_by_now() -> None:
    at_work = run("shop_lake", "r1", "running", None)
    tasks = [task(at_work, "clean", "running", took, None, map_index=index) for index, took in enumerate((20, 70))]
    assert shown(runs.samples([], Known(), tasks, NOON)) == {("task_running_seconds", "shop_lake", "clean"): 70}


@pytest.mark.parametrize(
    ("cron", "hours"),
    [
        ("0 * * * *", 1),
        ("*/10 * * * *", 1 / 6),
        ("30 3 * * *", 24),
        ("0 6 * * 1-5", 24),  # it is a Thursday: Tuesday, Wednesday, today, tomorrow
        ("0 6 * * 1,4", 96),  # Thursday, Monday, today, Monday
        ("0 6 1 * *", 31 * 24),
        ("Never, external triggers only", None),
        ("Asset", None),
        ("", None),
    ],
)
def test_how_often_a_dag_is_due(cron: str, hours: float | None) -> None:
    found = interval_seconds(cron, NOON)
    assert found == (None if hours is None else pytest.approx(hours * 3600))


def test_on_monday_morning_the_weekend_counts() -> None:
    monday = datetime(2026, 11, 30, 6, 5, tzinfo=UTC)
    assert interval_seconds("0 6 * * 1-5", monday) == timedelta(days=3).total_seconds()


def test_a_paused_dag_is_not_due() -> None:
    dag = DagState("parity", True, "30 1 * * *")
    assert shown(runs.samples([dag], Known(), [], NOON)) == {}


def test_after_the_first_look_two_questions_are_enough() -> None:
    done = run("shop_lake", "r1", "success", NOON)
    airflow = MadeUp(runs=[done, run("of_somebody", "x", "running", None)], done=[task(done, "clean", "success", 7)])
    found = Runs(airflow.sessions(), lambda: NOON)
    first = shown(found.collect())
    assert first["task_duration_seconds", "shop_lake", "clean"] == 7
    airflow.asked.clear()
    assert shown(found.collect()) == first
    assert airflow.asked == {"ended_since": 1, "under_way": 1}


def test_what_ends_and_what_begins_is_seen() -> None:
    first = run("shop_lake", "r1", "success", NOON, 60)
    airflow = MadeUp(runs=[first])
    found = Runs(airflow.sessions(), lambda: NOON)
    found.collect()
    second, third = run("shop_lake", "r2", "failed", NOON + seconds(60), 20), run("shop_lake", "r3", "running", None)
    airflow.runs += [second, third]
    airflow.done = [task(second, "audit", "failed", 3), task(third, "clean", "running", 11, None)]
    told = shown(found.collect())
    assert told["dag_run_duration_seconds", "shop_lake"] == 20
    assert told["dag_run_ended_timestamp_seconds", "shop_lake", "success"] == NOON.timestamp()
    assert told["dag_run_ended_timestamp_seconds", "shop_lake", "failed"] == NOON.timestamp() + 60
    assert told["task_duration_seconds", "shop_lake", "audit"] == 3
    assert ("task_running_seconds", "shop_lake", "clean") in told


def test_what_was_noted_by_half_is_asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    airflow = MadeUp(runs=[run("shop_lake", "r1", "success", NOON)])
    found = Runs(airflow.sessions(), lambda: NOON)
    found.collect()
    second = run("shop_lake", "r2", "success", NOON + seconds(60))
    airflow.runs.append(second)
    airflow.done = [task(second, "audit", "success", 3)]
    answers, asked = MadeUp.tasks, []

    def tasks(self: MadeUp, dag_id: str, run_id: str) -> list[TaskState]:
        asked.append(run_id)
        if len(asked) == 1:
            raise ServiceError("Airflow does not answer")
        return answers(self, dag_id, run_id)

    monkeypatch.setattr(MadeUp, "tasks", tasks)
    with pytest.raises(ServiceError):
        found.collect()
    assert shown(found.collect())["task_duration_seconds", "shop_lake", "audit"] == 3


def test_runs_of_other_dags_do_not_stand_in_the_way() -> None:
    airflow = MadeUp(runs=[run("shop_lake", "r1", "success", NOON)])
    found = Runs(airflow.sessions(), lambda: NOON)
    found.collect()
    airflow.runs += [run("of_somebody", str(n), "success", NOON + seconds(n)) for n in range(1, 2 * PAGE)]
    airflow.runs.append(run("shop_lake", "r2", "failed", NOON + seconds(2 * PAGE)))
    told = [shown(found.collect()) for _ in range(3)][-1]
    assert ("dag_run_ended_timestamp_seconds", "shop_lake", "failed") in told


def test_an_airflow_that_is_away_and_comes_back() -> None:
    airflow = MadeUp(runs=[run("shop_lake", "r1", "success", NOON)])
    found = Runs(airflow.sessions(), lambda: NOON)
    airflow.down = ServiceError("Airflow does not answer")
    with pytest.raises(ServiceError):
        found.collect()
    airflow.down = None
    assert ("dag_run_duration_seconds", "shop_lake") in shown(found.collect())
