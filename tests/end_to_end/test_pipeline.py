"""The whole pipeline through Airflow's own scheduler. The oracle is SQL on the source, never our own code."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
import time
from decimal import Decimal
from typing import Any

import psutil
import pymysql
import pytest

from lake import catalog, sql
from lake.airflow_api import Airflow
from lake.settings import PROJECT, settings

REVENUE = "SELECT SUM(sales_value) FROM order_items JOIN orders USING (order_id) WHERE status <> 'cancelled'"
DAILY = (
    "SELECT DATE(ordered_at), SUM(sales_value) FROM order_items JOIN orders USING (order_id) "
    "WHERE status <> 'cancelled' GROUP BY 1 ORDER BY 1"
)


def lake(*arguments: str) -> str:
    """Run the command as a user does; what it printed."""
    command = [str(PROJECT / ".venv/bin/lake"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=800, cwd=PROJECT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def source(statement: str) -> list[tuple[Any, ...]]:
    config = settings()
    with (
        pymysql.connect(
            host=config.shop_host,
            port=config.shop_port,
            user=config.shop_user,
            password=config.shop_password.get_secret_value(),
            database=config.source_database,
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
        return list(cursor.fetchall())


def assert_lake_equals_shop() -> None:
    """Every business day's revenue to the cent, and every table's rows."""
    days = sql.rows("SELECT date_day, revenue FROM marts.daily_revenue WHERE revenue <> 0 ORDER BY 1")
    assert [(row["date_day"], row["revenue"]) for row in days] == [row for row in source(DAILY) if row[1]]
    for table in ("customers", "orders", "order_items", "payments", "shipments", "campaign_customers"):
        (in_lake,) = sql.query(f"SELECT count(*) FROM cleaned.{table}")[1][0]
        assert (table, in_lake) == (table, source(f"SELECT COUNT(*) FROM {table}")[0][0])


@pytest.fixture(scope="module")
def published(platform: None) -> dict[str, Any]:
    """A small shop, loaded and published in full; the receipt."""
    lake("shop", "load", "--sample", "0.02")
    lake("run")
    return json.loads(lake("receipts", "--json"))[0]


def test_full_load_equals_the_shop(published: dict[str, Any]) -> None:
    assert_lake_equals_shop()
    printed = json.loads(lake("sql", "select sum(revenue) as revenue from marts.daily_revenue", "--format", "json"))
    assert Decimal(printed[0]["revenue"]) == source(REVENUE)[0][0]
    for counts in published["tables"].values():
        assert counts["valid"] + counts["refused"] == counts["judged"] == counts["read"] == counts["source_rows"]
    assert published["lake_commit"] == catalog.head()
    assert published["checks"]["failed"] == 0


def test_increment_reads_only_what_changed(published: dict[str, Any]) -> None:
    before = source(REVENUE)
    lake("shop", "tick", "--orders", "10", "--seed", "7")
    assert source(REVENUE) != before

    lake("run")

    assert_lake_equals_shop()
    receipt = json.loads(lake("receipts", "--json"))[0]
    assert receipt["run_id"] != published["run_id"]
    assert {counts["mode"] for counts in receipt["tables"].values()} == {"increment"}
    assert 10 <= receipt["tables"]["orders"]["read"] < 200
    assert receipt["tables"]["categories"]["read"] == 0
    assert receipt["tables"]["customers"]["deleted"] == 1


@pytest.mark.faults
def test_a_killed_task_is_tried_again_and_the_tables_are_the_same(published: dict[str, Any]) -> None:
    lake("shop", "tick", "--orders", "10", "--seed", "8")
    killed: list[str] = []
    watcher = threading.Thread(target=_kill_one_task, args=(killed,))
    watcher.start()
    lake("run")
    watcher.join()

    assert killed, "no task was found to kill, so nothing was proven"
    with Airflow() as airflow:
        assert max(task.try_number for task in airflow.tasks("shop_lake", killed[0])) > 1
    assert_lake_equals_shop()
    open_versions = sql.rows("SELECT count(*) AS n FROM history.customers WHERE is_current")[0]["n"]
    assert open_versions == source("SELECT COUNT(*) FROM customers")[0][0]


def _kill_one_task(killed: list[str]) -> None:
    """Kill -9 the process of one cleaning task, a moment after it began."""
    deadline = time.monotonic() + 300
    with Airflow() as airflow:
        while time.monotonic() < deadline:
            for run_id in airflow.active_runs("shop_lake"):
                cleaning = [task for task in airflow.tasks("shop_lake", run_id) if task.task_id == "clean"]
                victims = _task_processes() if any(task.state == "running" for task in cleaning) else []
                if victims:
                    os.kill(victims[0], signal.SIGKILL)
                    killed.append(run_id)
                    return
            time.sleep(0.2)


def _task_processes() -> list[int]:
    """Processes of this platform that run a task: the innermost below its scheduler titled with a task id."""
    (scheduler,) = [item["pid"] for item in json.loads(lake("status", "--json")) if item["name"] == "airflow-scheduler"]
    found = []
    for process in psutil.Process(scheduler).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            title = " ".join(process.cmdline())
            if re.search(r"airflow worker -- [0-9a-f-]{36}", title) and not process.children():
                found.append(process.pid)
    return found


@pytest.mark.faults
def test_a_bad_row_goes_to_quarantine_and_comes_back_when_mended(published: dict[str, Any]) -> None:
    (order_item_id,) = source("SELECT MIN(order_item_id) FROM order_items")[0]
    _write(f"UPDATE order_items SET quantity = -1 WHERE order_item_id = {order_item_id}")
    lake("run")
    refused = sql.rows("SELECT order_item_id, _reasons FROM quarantine.order_items")
    assert [(int(row["order_item_id"]), row["_reasons"]) for row in refused] == [
        (order_item_id, ["below_minimum:quantity"])
    ]
    assert sql.rows(f"SELECT 1 FROM cleaned.order_items WHERE order_item_id = {order_item_id}") == []

    _write(f"UPDATE order_items SET quantity = 1 WHERE order_item_id = {order_item_id}")
    lake("run")
    assert sql.rows("SELECT 1 FROM quarantine.order_items") == []
    assert_lake_equals_shop()


def _write(statement: str) -> None:
    config = settings()
    with (
        pymysql.connect(
            host=config.shop_host,
            port=config.shop_port,
            user=config.shop_user,
            password=config.shop_password.get_secret_value(),
            database=config.source_database,
            autocommit=True,
        ) as connection,
        connection.cursor() as cursor,
    ):
        assert cursor.execute(statement) == 1
    time.sleep(2)


def test_status_names_every_service_as_healthy(platform: None) -> None:
    states = {service["name"]: service["state"] for service in json.loads(lake("status", "--json"))}
    assert set(states.values()) == {"healthy"}
    assert {"mariadb-primary", "mariadb-replica", "minio", "nessie", "spark", "trino", "airflow-scheduler"} <= set(
        states
    )
