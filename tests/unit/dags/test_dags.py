"""The DAG files, as Airflow's own DAG processor reads them. None of these can pass on an empty bag."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lake.errors import AuditError, ContractError, ServiceError, SparkTimeoutError
from lake.runtime import pools
from lake.settings import Settings, settings

DAGS = Path(__file__).resolve().parents[3] / "dags"
EXPECTED = {
    "shop_lake", "reports", "alerting", "lineage", "mailing", "maintenance", "parity", "recommend", "search_index",
    "watch",
}  # fmt: skip


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory):
    import os
    import sys

    os.environ["AIRFLOW_HOME"] = str(tmp_path_factory.mktemp("airflow"))
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "false"
    sys.path.insert(0, str(DAGS))
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(DAGS))


def test_every_dag_is_there_and_nothing_fails_to_import(bag) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == EXPECTED


@pytest.mark.parametrize("dag_id", sorted(EXPECTED))
def test_every_dag_has_owner_tags_retries_and_a_runbook(bag, dag_id: str) -> None:
    dag = bag.dags[dag_id]
    assert len(dag.tasks) > 0
    assert "shoplake" in dag.tags
    assert len(dag.doc_md) > 400
    for task in dag.tasks:
        assert (task.owner, task.retries) == ("shoplake", 2)


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (AuditError("x"), "fail"),
        (ContractError("x"), "fail"),
        (SparkTimeoutError("x"), "fail"),
        (ServiceError("x"), "default"),
        (OSError(), "default"),
    ],
)
def test_what_another_try_cannot_change_fails_at_once(bag, error: Exception, action: str) -> None:
    for dag in bag.dags.values():
        for task in dag.tasks:
            assert task.retry_policy.evaluate(error, 1, 2).action.value == action


@pytest.mark.parametrize("dag_id", sorted(EXPECTED))
def test_every_task_and_every_run_has_an_end(bag, dag_id: str) -> None:
    dag = bag.dags[dag_id]
    for task in dag.tasks:
        # The task's own comes first: it names the task.
        assert timedelta(0) < task.execution_timeout < dag.dagrun_timeout, task.task_id


@pytest.mark.parametrize("dag_id", sorted(EXPECTED))
def test_every_failure_is_told_and_every_success_ends_it(bag, dag_id: str) -> None:
    import callbacks

    dag = bag.dags[dag_id]
    assert dag.on_failure_callback is callbacks.tell_of_run
    assert dag.on_success_callback is callbacks.end_of_failure
    for task in dag.tasks:
        told = task.on_failure_callback
        assert callbacks.tell_of_task in (told if isinstance(told, list) else [told]), task.task_id


def test_a_longer_limit_of_a_task_gives_the_run_more_time(bag) -> None:
    dag = bag.dags["shop_lake"]
    chain = sum((dag.get_task(name).execution_timeout for name in ("extract", "clean", "curate", "marts")), timedelta())
    assert dag.dagrun_timeout == chain


def test_spark_says_what_it_was_at_before_its_task_is_ended(bag) -> None:
    dag, limit = bag.dags["shop_lake"], settings().spark_timeout_seconds
    for task in (dag.get_task("clean"), dag.get_task("curate")):
        assert limit < task.execution_timeout.total_seconds() < dag.dagrun_timeout.total_seconds() / 2


def test_the_pipeline_is_wired_in_order_and_runs_once_at_a_time(bag) -> None:
    dag = bag.dags["shop_lake"]
    order = [task.task_id for task in dag.topological_sort()]
    assert order[:6] == ["start", "sources", "extract", "register", "clean", "curate"]
    assert set(order[6:8]) == {"marts", "audit"}
    assert order[8:] == ["publish"]
    assert not dag.get_task("audit").get_flat_relative_ids() - {"publish"}
    assert dag.get_task("publish").upstream_task_ids >= {"marts", "audit"}
    assert (dag.max_active_runs, dag.catchup) == (1, False)


POOLS = {
    "source": {"shop_lake.extract", "parity.sweep", "parity.prove"},
    "spark": {"shop_lake.clean", "shop_lake.curate", "maintenance.compact"},
    "trino": {
        "shop_lake.marts",
        "shop_lake.audit",
        "reports.render",
        "alerting.check",
        "mailing.send",
        "search_index.build",
    },
}


def test_what_reaches_a_source_spark_or_trino_is_bounded_by_a_pool(bag) -> None:
    found: dict[str, set[str]] = {}
    for dag in bag.dags.values():
        for task in dag.tasks:
            found.setdefault(task.pool, set()).add(f"{dag.dag_id}.{task.task_id}")
    free = found.pop("default_pool")
    assert found == POOLS
    assert "watch.look" in free, "it must not wait behind what it watches"
    assert "lineage.keep" in free, "it reaches none of them"
    assert set(json.loads(pools.wanted())) == set(POOLS)


def test_the_watch_waits_for_nothing_that_somebody_does(bag) -> None:
    assert bag.dags["watch"].is_paused_upon_creation is False
    assert Settings.model_fields["watch_schedule"].default == "*/10 * * * *"


def test_what_waits_for_a_publish_begins_by_itself_and_no_task_of_the_pipeline_is_among_it(bag) -> None:
    from common import PUBLISHED

    followers = {dag.dag_id for dag in bag.dags.values() if repr(PUBLISHED) in str(dag.timetable.asset_condition)}
    assert followers == {"reports", "alerting", "lineage", "recommend", "search_index"}
    assert [task.task_id for task in bag.dags["lineage"].tasks] == ["keep"]


def test_parity_proves_what_a_run_of_the_pipeline_has_mended(bag) -> None:
    dag = bag.dags["parity"]
    assert [task.task_id for task in dag.topological_sort()] == ["sweep", "has_drifted", "repair", "prove"]
    repair = dag.get_task("repair")
    assert (repair.trigger_dag_id, repair.wait_for_completion) == ("shop_lake", True)
    assert dag.max_active_runs == 1


def test_what_is_maintained_does_not_wait_for_each_other_so_that_every_failure_is_one_of_the_run(bag) -> None:
    dag = bag.dags["maintenance"]
    assert {task.task_id: task.downstream_task_ids for task in dag.tasks} == {
        "collect": set(),
        "compact": set(),
        "trim": set(),
    }
    assert dag.max_active_runs == 1


TABLES = [f"a_rather_long_name_of_a_table_{number:03}" for number in range(110)]
MAPPED = {
    ("shop_lake", "extract"): [{"source": "shop"}, {"source": "s" * 300}],
    ("shop_lake", "clean"): [{"tables": TABLES}, {"tables": ["t" * 300]}, {"tables": ["orders"]}],
}


def mapped_tasks(bag) -> dict[tuple[str, str], Any]:
    return {
        (dag.dag_id, task.task_id): task.partial_kwargs["map_index_template"]
        for dag in bag.dags.values()
        for task in dag.tasks
        if task.is_mapped
    }


def test_a_mapped_task_has_a_label_that_airflow_can_keep(bag) -> None:
    """Airflow renders it with the DAG's own environment, and its API refuses what its column does not hold."""
    import labels
    from airflow.models.taskinstance import TaskInstance

    kept = TaskInstance.__table__.columns["rendered_map_index"].type.length
    templates = mapped_tasks(bag)
    assert set(templates) == set(MAPPED)
    for (dag_id, task_id), every in MAPPED.items():
        environment = bag.dags[dag_id].get_template_env()
        for arguments in every:
            task = SimpleNamespace(op_kwargs=arguments)
            label = environment.from_string(templates[dag_id, task_id]).render(task=task)
            assert 0 < len(label) <= labels.LONGEST < kept, (task_id, label)


def test_dag_files_are_wiring() -> None:
    lengths = {file.name: len(file.read_text().splitlines()) for file in DAGS.glob("*.py")}
    assert len(lengths) >= len(EXPECTED)
    assert {name for name, length in lengths.items() if length > 130} == set()
