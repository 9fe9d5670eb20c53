"""The lineage of a published lake. The oracles are Trino's and the shop's own lists of columns, and a chain by hand."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pytest
from tenacity import Retrying, stop_after_delay, wait_fixed

from lake.ledger import receipts
from lake.lineage import build
from lake.lineage.graph import Graph
from lake.lineage.model import Kind
from lake.platform import sql
from lake.platform.airflow import ENDED, Airflow
from lake.settings import settings
from tests.end_to_end.driving import lake, source

DAG = "lineage"
PATIENCE_SECONDS = 300
KEPT = "select published_at, job, event from ops.lineage order by published_at, job"
READ = ("raw", "cleaned", "quarantine", "history")
MADE = ("curated", "intermediate", "marts")


@pytest.fixture(scope="module")
def graph(published: dict[str, Any]) -> Graph:
    return build.of_checkout()


def _by_table(columns: Iterable[Iterable[str]]) -> dict[str, set[str]]:
    found = defaultdict(set)
    for table, column in columns:
        found[table].add(column)
    return found


def _told(graph: Graph, kind: Kind) -> dict[str, set[str]]:
    return {str(table): {column.name for column in graph.columns(table)} for table in graph.made if table.kind is kind}


def test_it_tells_of_every_column_of_the_lake_and_of_no_other(graph: Graph, published: dict[str, Any]) -> None:
    columns = sql.query("SELECT table_schema, table_name, column_name FROM information_schema.columns")[1]
    there = _by_table(
        (f"{layer}.{table}", column)
        for layer, table, column in columns
        # Sources of other tests may have been there.
        if layer in MADE or (layer in READ and table in published["tables"])
    )
    assert len(there) > 50
    assert _told(graph, Kind.LAKE) == there


def test_every_column_of_the_shop_that_it_names_is_there(graph: Graph) -> None:
    there = _by_table(
        source("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE()")
    )
    told = _told(graph, Kind.SOURCE)
    assert told
    name = settings().source_name
    missing = {table: columns - there[table.removeprefix(f"{name}.")] for table, columns in told.items()}
    assert {table: columns for table, columns in missing.items() if columns} == {}


def test_the_command_answers_right_after_a_run(published: dict[str, Any]) -> None:
    # dbt/models/marts/sales/daily_revenue.sql sums fct_orders.revenue, `star.fct_orders` sums sales_value of the orders
    # whose status does not say that they are cancelled.
    told = json.loads(lake("lineage", "marts.daily_revenue.revenue", "--json"))
    assert [(one["table"], one["column"], one["uses"]) for one in told["sources"]] == [
        ("order_items", "sales_value", ["AGGREGATION"]),
        ("orders", "status", ["CONDITIONAL"]),
    ]
    assert {"column": "business.revenue.value", "kind": "report"} in told["seen_as"]


def _triggered(airflow: Airflow, published_at: datetime) -> str:
    """The run of the DAG that a publish has started."""
    for attempt in Retrying(stop=stop_after_delay(60), wait=wait_fixed(1), reraise=True):
        with attempt:
            begun = [run for run in airflow.newest_runs(DAG) if run.since and run.since >= published_at]
            found = [run.run_id for run in begun if run.run_id.startswith("asset_triggered")]
            assert found, "the scheduler has started it"
    return found[-1]


def _ended(airflow: Airflow, run_id: str) -> str:
    for attempt in Retrying(stop=stop_after_delay(PATIENCE_SECONDS), wait=wait_fixed(1), reraise=True):
        with attempt:
            state = airflow.run_state(DAG, run_id)
            assert state in ENDED, state
    return state


def _kept() -> list[dict[str, Any]]:
    return json.loads(lake("sql", "--branch", "ops", KEPT, "--format", "json"))


def test_airflow_keeps_it_after_the_publish_and_nothing_twice(published: dict[str, Any]) -> None:
    published_at = receipts.of_run(published["unchanged_since"] or published["run_id"]).published_at
    with Airflow() as airflow:
        triggered = _triggered(airflow, datetime.fromisoformat(published_at))
        assert _ended(airflow, triggered) == "success"
        kept = _kept()
        assert _ended(airflow, airflow.trigger(DAG, {})) == "success"
    assert _kept() == kept
    asked = ("lineage", "marts.daily_revenue", "--json")
    assert lake(*asked, "--run", published["run_id"]) == lake(*asked)

    newest = {row["job"]: json.loads(row["event"]) for row in kept if row["published_at"] == kept[-1]["published_at"]}
    (mart,) = newest["dbt.daily_revenue"]["outputs"]
    (revenue,) = mart["facets"]["columnLineage"]["fields"]["revenue"]["inputFields"]
    assert (revenue["namespace"], revenue["name"], revenue["field"]) == ("lake", "curated.fct_orders", "revenue")
    (orders,) = newest["extract.orders"]["inputs"]
    assert orders["namespace"].startswith("mysql://")
    assert orders["name"] == f"{settings().source_database}.orders"
