"""What Airflow's contexts become; the contexts themselves are tried on a real scheduler, in tests/end_to_end."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lake.alerts import failures
from lake.alerts.failures import SILENT, Failure
from lake.errors import AuditError

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "dags"))


def _instance(**more: Any) -> SimpleNamespace:
    task = SimpleNamespace(execution_timeout=timedelta(minutes=65))
    known = {"dag_id": "shop_lake", "run_id": "r", "task_id": "clean", "map_index": -1, "log_url": "http://log"}
    return SimpleNamespace(**{**known, "task": task, **more})


@pytest.fixture
def failed(monkeypatch: pytest.MonkeyPatch) -> list[Failure]:
    told: list[Failure] = []
    monkeypatch.setattr(failures, "task_failed", told.append)
    return told


def test_the_error_and_its_way_out_are_told(failed: list[Failure]) -> None:
    import callbacks

    error = AuditError("orders: 3 rows", "mend the source")
    callbacks.tell_of_task({"ti": _instance(), "exception": error})
    assert failed == [Failure("shop_lake", "r", "orders: 3 rows", "clean", "mend the source", "http://log")]


def test_a_time_limit_is_told_as_one(failed: list[Failure]) -> None:
    import callbacks
    from airflow.sdk.exceptions import AirflowTaskTimeout

    callbacks.tell_of_task({"ti": _instance(), "exception": AirflowTaskTimeout("Timeout, PID: 4711")})
    assert failed[0].what == "it took longer than its limit of 1:05:00 and was ended"


def test_a_task_that_lost_touch_has_no_error(failed: list[Failure]) -> None:
    import callbacks

    callbacks.tell_of_task({"ti": _instance()})
    assert failed[0].what == SILENT


@pytest.mark.parametrize(
    ("mapped", "name"),
    [
        ({"map_index": 1, "rendered_map_index": "3 tables: a, b, …"}, "clean [3 tables: a, b, …]"),
        ({"map_index": 0, "rendered_map_index": None}, "clean [0]"),
        ({"map_index": None}, "clean"),
    ],
)
def test_a_mapped_task_is_told_by_its_label(failed: list[Failure], mapped: dict[str, Any], name: str) -> None:
    import callbacks

    callbacks.tell_of_task({"ti": _instance(**mapped), "exception": ValueError("x")})
    assert failed[0].task == name


@pytest.mark.parametrize(("context", "task"), [({"ti": _instance()}, "clean"), ({}, "")])
def test_a_run_is_told_with_its_task_where_airflow_names_one(
    monkeypatch: pytest.MonkeyPatch, context: dict[str, Any], task: str
) -> None:
    import callbacks

    told: list[Any] = []
    monkeypatch.setattr(failures, "run_failed", lambda *arguments: told.append(arguments))
    callbacks.tell_of_run({**context, "dag": SimpleNamespace(dag_id="reports"), "run_id": "r", "reason": "timed_out"})
    assert told == [("reports", "r", "timed_out", task)]
