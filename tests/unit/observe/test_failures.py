"""Failures are counted once, whatever is restarted in between, and each by the class of its error."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lake.errors import ServiceError
from lake.observe import bounds, failures
from lake.observe.failures import ADDRESS, Counted, Failures
from lake.platform import storage
from lake.platform.airflow import PAGE
from tests.unit.observe.made_up import NOON, MadeUp, run, seconds, task
from tests.unit.observe.test_published import shown

FAILED = run("shop_lake", "r1", "failed", NOON)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The object store."""
    held: dict[str, bytes] = {}

    def get(uri: str) -> bytes:
        if uri not in held:
            raise FileNotFoundError(uri)
        return held[uri]

    monkeypatch.setattr(storage, "get", get)
    monkeypatch.setattr(storage, "put", lambda uri, data, kind: held.update({uri: data}))
    counted = Counted((NOON - seconds(3600)).isoformat())
    held[ADDRESS] = json.dumps(counted.__dict__).encode()
    return held


def told(airflow: MadeUp) -> dict[tuple[str, ...], float]:
    """What an exporter tells that has just been started; without the classes of which there is none."""
    found = shown(Failures(airflow.sessions()).collect())
    return {labels: value for labels, value in found.items() if labels[0] != "errors_total" or value}


def test_each_failure_counts_once(store: dict[str, bytes]) -> None:
    airflow = MadeUp(done=[task(FAILED, "extract", "success", 1), task(FAILED, "clean", "failed", 1, instance_id="a")])
    airflow.logs = {"a": "SourceError"}
    for _ in range(3):
        assert told(airflow) == {
            ("task_failures_total", "shop_lake", "extract"): 0,
            ("task_failures_total", "shop_lake", "clean"): 1,
            ("errors_total", "SourceError"): 1,
        }
    assert airflow.asked["error_class"] == 1


def test_another_try_of_the_task_counts_again(store: dict[str, bytes]) -> None:
    airflow = MadeUp(
        done=[task(FAILED, "clean", "failed", 1, instance_id="a")], logs={"a": "SourceError", "b": "KeyError"}
    )
    told(airflow)
    airflow.done = [task(FAILED, "clean", "failed", 1, NOON + seconds(5), instance_id="b")]
    assert told(airflow) == {
        ("task_failures_total", "shop_lake", "clean"): 2,
        ("errors_total", "SourceError"): 1,
        ("errors_total", "KeyError"): 1,
    }


def test_what_airflow_tells_late_is_counted(store: dict[str, bytes]) -> None:
    airflow = MadeUp(done=[task(FAILED, "clean", "failed", 1, instance_id="a")])
    told(airflow)
    airflow.done.append(task(FAILED, "clean", "failed", 1, NOON - seconds(30), instance_id="b"))
    assert told(airflow)["task_failures_total", "shop_lake", "clean"] == 2


def test_a_counter_does_not_fall_when_airflow_forgets(store: dict[str, bytes]) -> None:
    airflow = MadeUp(done=[task(FAILED, "clean", "failed", 1, instance_id="a")], logs={"a": "AuditError"})
    told(airflow)
    airflow.done = []
    assert told(airflow) == {("task_failures_total", "shop_lake", "clean"): 1, ("errors_total", "AuditError"): 1}


def test_a_task_that_was_killed_or_has_no_log_is_unknown(store: dict[str, bytes]) -> None:
    done = [task(FAILED, name, "failed", 1, instance_id=name) for name in ("killed", "gone")]
    assert told(MadeUp(done=done, logs={"killed": ""}))["errors_total", "unknown"] == 2


def test_tasks_of_other_dags_are_not_ours(store: dict[str, bytes]) -> None:
    foreign = run("of_somebody", "x", "failed", NOON)
    airflow = MadeUp(done=[task(foreign, "t", "failed", 1)])
    assert told(airflow) == told(airflow) == {}


def test_the_first_failure_of_a_dag_that_is_new_counts(store: dict[str, bytes]) -> None:
    airflow = MadeUp(done=[task(FAILED, "clean", "success", 1)])
    exporter = Failures(airflow.sessions())
    exporter.collect()
    airflow.known = [*airflow.known, replace(airflow.known[0], dag_id="new")]
    airflow.done.append(task(run("new", "x", "failed", NOON), "t", "failed", 1))
    assert shown(exporter.collect())["task_failures_total", "new", "t"] == 1


def test_more_failures_than_a_page_at_one_instant(store: dict[str, bytes]) -> None:
    done = [task(FAILED, "clean", "failed", 1, instance_id=str(number)) for number in range(2 * PAGE + 1)]
    airflow = MadeUp(done=done, logs=dict.fromkeys(map(str, range(2 * PAGE + 1)), "KeyError"))
    for _ in range(2):
        assert told(airflow)["errors_total", "KeyError"] == 2 * PAGE + 1


def test_what_could_not_be_kept_is_counted_next_time(store: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    airflow = MadeUp(done=[task(FAILED, "clean", "failed", 1, instance_id="a")], logs={"a": "KeyError"})
    kept = storage.put

    def full(*_: Any) -> None:
        raise ServiceError("the object store is full")

    monkeypatch.setattr(storage, "put", full)
    with pytest.raises(ServiceError):
        told(airflow)
    monkeypatch.setattr(storage, "put", kept)
    assert told(airflow)["errors_total", "KeyError"] == 1


def test_every_class_of_ours_begins_with_nothing(store: dict[str, bytes]) -> None:
    found = shown(Failures(MadeUp().sessions()).collect())
    assert {("errors_total", name) for name in ("LakeError", "AuditError", "SourceLostError", "unknown")} <= set(found)
    assert set(found.values()) == {0}


def test_classes_are_bounded_and_keep_their_names() -> None:
    met = {f"Error{number}": 1 for number in range(bounds.MOST_CLASSES)}
    assert failures.bounded(met) == {**met, "other": 0}
    assert failures.bounded({**met, "Late": 500, "Later": 1}) == {**met, "other": 501}


def test_in_the_beginning_all_that_airflow_knows_is_counted(store: dict[str, bytes]) -> None:
    store.clear()
    assert failures.read().tasks == {}
    lately = datetime.now(UTC) - timedelta(days=30)
    airflow = MadeUp(done=[task(FAILED, "clean", "failed", 1, lately, instance_id="a")], logs={"a": "KeyError"})
    assert told(airflow)["errors_total", "KeyError"] == 1
