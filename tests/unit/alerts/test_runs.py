"""What is told of Airflow's runs. That Airflow answers so, a test on a real one shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from lake.alerts import alertmanager, runs
from lake.alerts.alertmanager import Up
from lake.alerts.failures import Failure
from lake.alerts.look import Look
from lake.platform.airflow import Broken, DagState, RunState

NOW = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)
LIMIT = timedelta(hours=4)
Seen = Callable[..., Look]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """The look at one DAG, ``reports``, whose run may take four hours."""

    def look(
        last: RunState | None = None,
        unended: list[RunState] | None = None,
        up: list[Up] | None = None,
        broken: list[Broken] | None = None,
        **dag: Any,
    ):  # type: ignore[no-untyped-def]
        task = SimpleNamespace(state="failed", name="render [business]")
        airflow = SimpleNamespace(
            dags=lambda tag: [DagState("reports", **{"is_paused": False, **dag})],
            broken=lambda: broken or [],
            unended=lambda dag_id: unended or [],
            run_limit=lambda dag_id: LIMIT,
            last_ended=lambda dag_id: last,
            tasks=lambda dag_id, run_id: [task],
            __enter__=lambda: airflow,
        )

        class Session:
            def __enter__(self) -> Any:
                return airflow

            def __exit__(self, *_: object) -> None:
                """Nothing is open."""

        monkeypatch.setattr(runs, "Airflow", Session)
        monkeypatch.setattr(alertmanager, "up", lambda: up or [])
        return runs.look(NOW)

    return look


def _run(state: str, ago: timedelta, run_id: str = "r1") -> RunState:
    return RunState("reports", run_id, state, NOW - ago)


def test_a_failure_that_no_callback_told(seen: Seen) -> None:
    found = seen(_run("failed", LIMIT))
    [alert] = found.alerts
    assert alert.summary == "reports, task render [business]: a task failed"
    assert alert.identity == {"alertname": "DagFailed", "severity": "warning", "team": "data", "dag_id": "reports"}


def test_a_failure_that_was_told_is_told_again_as_it_was(seen: Seen) -> None:
    told = Failure("reports", "r1", "no such mart", "render [business]", "make it").alert
    up = Up(told.identity, told.told, told.page)
    assert seen(_run("failed", LIMIT), up=[up]).alerts == [told]
    [other] = seen(_run("failed", LIMIT, "r2"), up=[up]).alerts
    assert other.annotations["run_id"] == "r2"


def test_a_failure_is_over_when_a_run_succeeded_and_none_is_under_way(seen: Seen) -> None:
    labels = {"alertname": "DagFailed", "dag_id": "reports"}
    assert seen(_run("success", LIMIT)).settled(labels)
    assert not seen(_run("success", LIMIT), [_run("running", timedelta())]).settled(labels)
    for others in ({"alertname": "revenue", "dag_id": "reports"}, {"alertname": "DagFailed", "dag_id": "of_somebody"}):
        assert not seen(_run("success", LIMIT)).settled(others)


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_run_that_does_not_end(seen: Seen, state: str) -> None:
    assert seen(unended=[_run(state, LIMIT + runs.SLACK)]).alerts == []
    [alert] = seen(unended=[_run(state, LIMIT + 2 * runs.SLACK)], is_paused=True).alerts
    assert (alert.name, alert.labels) == ("RunDoesNotEnd", {"dag_id": "reports"})
    assert alert.summary == f"a run of reports is {state} since 2026-11-25 08:00 UTC, longer than it may take"
    assert alert.way_out.startswith("unpause the DAG")


def test_a_dag_whose_file_is_broken(seen: Seen) -> None:
    [alert] = seen(broken=[Broken("reports.py", "SyntaxError: invalid syntax")]).alerts
    assert (alert.name, alert.labels) == ("DagBroken", {"file": "reports.py"})
    assert alert.summary == (
        "dags/reports.py cannot be imported, and its DAGs no longer run: SyntaxError: invalid syntax"
    )
