"""What the exporter tells of a published lake. The oracle is SQL on the source and on Trino, and the receipt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lake.observe.collectors import collectors
from lake.platform import sql
from tests.end_to_end.driving import source

STEPS = {"start", "extract", "register", "clean", "curate", "marts", "audit", "publish"}


@pytest.fixture(scope="module")
def told(published: dict[str, Any]) -> dict[tuple[str, ...], float]:
    """What every collector finds, by name and labels."""
    return {
        (sample.metric.name.removeprefix("shoplake_"), *sample.labels): sample.value
        for collector in collectors()
        for sample in collector.collect()
    }


def test_rows_of_every_layer(told: dict[tuple[str, ...], float]) -> None:
    for table in ("orders", "order_items", "customers"):
        held = told["table_rows", "cleaned", table] + told["table_rows", "quarantine", table]
        assert held == source(f"SELECT COUNT(*) FROM {table}")[0][0], table
    for layer, table in (("curated", "fct_orders"), ("curated", "dim_customer"), ("marts", "daily_revenue")):
        assert told["table_rows", layer, table] == sql.query(f"SELECT count(*) FROM {layer}.{table}")[1][0][0]


@pytest.mark.thorough
def test_files_and_their_size(told: dict[tuple[str, ...], float]) -> None:
    for layer in ("raw", "cleaned", "curated", "marts"):
        tables = [name for (name,) in sql.query(f"SHOW TABLES FROM {layer}")[1]]
        found = {
            kind: sum(
                sql.query(f'SELECT coalesce(sum({what}), 0) FROM {layer}."{table}$files"')[1][0][0]
                for table in tables
                if layer != "marts" or ("table_rows", layer, table) in told  # a view has no files
            )
            for kind, what in (
                ("bytes", "file_size_in_bytes"),
                ("data", "CAST(content = 0 AS bigint)"),
                ("deletes", "CAST(content <> 0 AS bigint)"),
            )
        }
        assert told["lake_bytes", layer] == found["bytes"] > 0, layer
        assert told["lake_files", layer, "data"] == found["data"] > 0, layer
        assert told["lake_files", layer, "deletes"] == found["deletes"], layer


def test_when_it_was_published_and_as_of_when(told: dict[tuple[str, ...], float], published: dict[str, Any]) -> None:
    assert told["published_timestamp_seconds",] >= datetime.fromisoformat(published["published_at"]).timestamp()
    as_of = datetime.fromisoformat(published["source_instant"]).timestamp()
    assert told["table_as_of_timestamp_seconds", "shop", "orders"] >= as_of
    assert told["source_as_of_timestamp_seconds", "shop"] >= as_of
    assert told["table_held", "shop", "orders"] == 0


def test_quarantine_by_reason_is_what_lies_there(told: dict[tuple[str, ...], float]) -> None:
    waiting = {
        labels[1] for (name, *labels), rows in told.items() if name == "table_rows" and labels[0] == "quarantine"
    }
    for table in {labels[1] for (name, *labels) in told if name == "quarantine_rows"}:
        assert table in waiting
        reasons = sql.query(
            f"SELECT reason, count(*) FROM quarantine.{table} CROSS JOIN UNNEST(_reasons) AS t (reason) GROUP BY 1"
        )[1]
        assert {reason: told["quarantine_rows", "shop", table, reason] for reason, _ in reasons} == dict(reasons)


def test_business_figures_are_what_the_marts_hold(
    told: dict[tuple[str, ...], float], published: dict[str, Any]
) -> None:
    assert told["business_as_of_timestamp_seconds", published["run_id"]] > 0
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    of_day = f"FROM marts.sales_by_day WHERE date_day = DATE '{yesterday}'"
    ((revenue,),) = sql.query(f"SELECT sum(revenue) {of_day}")[1]
    departments = sql.query(f"SELECT department, sum(revenue) {of_day} GROUP BY 1")[1]
    assert told["business_value", "revenue", "yesterday"] == float(revenue) > 0
    for department, value in departments:
        assert told["business_department_value", "revenue", department, "yesterday"] == float(value), department
    assert told["business_newest_day_timestamp_seconds", "revenue"] % (24 * 3600) == 0


def test_the_audit_and_the_run(told: dict[tuple[str, ...], float]) -> None:
    assert told["audit_checks", "passed"] > 0
    assert told["audit_checks", "failed"] == 0
    assert told["dag_run_duration_seconds", "shop_lake"] > 0
    assert told["dag_run_ended_timestamp_seconds", "shop_lake", "success"] > 0
    tasks, counted = (
        {labels[1] for (each, *labels) in told if each == name and labels[0] == "shop_lake"}
        for name in ("task_duration_seconds", "task_failures_total")
    )
    assert tasks >= {"start", "extract", "register", "publish"}  # others are skipped where nothing is new
    assert counted >= STEPS
    assert told["extraction_rows_per_second", "shop"] > 0
