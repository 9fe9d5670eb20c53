"""After a run through Airflow's scheduler: one trace, found from its receipt, with every task of the DAG."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tenacity import Retrying, stop_after_delay, wait_fixed

from lake.observe.search import Asked, search
from lake.platform.airflow import Airflow
from lake.settings import settings
from tests.end_to_end.driving import lake

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def told(watched_run: dict[str, Any]) -> dict[str, Any]:
    """The trace, when all of it is there."""
    for attempt in Retrying(stop=stop_after_delay(60), wait=wait_fixed(2), reraise=True):
        with attempt:
            found: dict[str, Any] = json.loads(lake("trace", watched_run["run_id"], "--json"))
            assert found["missing"] == []
    return found


def named(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in told["spans"]}


def test_it_is_found_from_the_receipt_and_has_every_task(told: dict[str, Any], watched_run: dict[str, Any]) -> None:
    assert told["trace_id"] == watched_run["trace_id"]
    with Airflow() as airflow:
        tasks = airflow.task_ids("shop_lake")
        began = airflow.tasks("shop_lake", told["dag_run"])
    assert len(tasks) >= 9
    for kind in ("task_run", "worker"):
        assert {
            each["name"].split(".")[1].split("[")[0] for each in told["spans"] if each["name"].startswith(f"{kind}.")
        } == {*tasks}
    assert len([each for each in told["spans"] if each["name"].startswith("worker.")]) == len(began)
    assert not any(each["is_missing"] or each["status"] == "error" for each in told["spans"])


def test_it_says_what_the_engines_did(told: dict[str, Any]) -> None:
    found = named(told)
    orders = found["orders"]
    assert orders["service"] == settings().shop_server and orders["attributes"]["shoplake.rows"] >= 5
    assert found["merge into main"]["service"] == "nessie"
    trino = [each for each in told["spans"] if "trino.query_id" in each["attributes"]]
    assert any(each["name"].startswith("SELECT cleaned.") for each in trino)
    assert any(each["name"].startswith("model ") and each["attributes"]["dbt.status"] == "success" for each in trino)
    assert any(each["service"] == "spark" and each["name"] == "curated.fct_orders" for each in told["spans"])
    assert found["worker.register"]["attributes"]["run"] == told["run"]


def test_each_span_lies_within_the_one_above(told: dict[str, Any]) -> None:
    by_id = {each["span_id"]: each for each in told["spans"]}
    for each in told["spans"]:
        if above := by_id.get(each["parent_id"]):
            assert each["start_seconds"] >= above["start_seconds"] - 0.1, each
            ended, above_ended = (one["start_seconds"] + one["seconds"] for one in (each, above))
            # The process of a task ends a little after Airflow was told that the task is done.
            assert ended <= above_ended + 5, each


def test_the_critical_path_is_as_long_as_the_run(told: dict[str, Any]) -> None:
    total = sum(each["critical_seconds"] for each in told["spans"])
    assert total == pytest.approx(told["seconds"], rel=0.01)
    on_path = {each["name"] for each in told["spans"] if each["is_critical"]}
    assert {"worker.start", "worker.extract[0]", "worker.register", "worker.publish"} <= on_path


def test_lines_of_the_logs_name_the_trace(told: dict[str, Any]) -> None:
    for attempt in Retrying(stop=stop_after_delay(30), wait=wait_fixed(1), reraise=True):
        with attempt:
            lines = search(Asked(only={"trace_id": told["trace_id"]}, most=1000)).found
            assert {"extract", "publish"} <= {each.get("task") for each in lines}
    assert {each["run"] for each in lines} == {told["run"]}
