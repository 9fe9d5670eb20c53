"""The whole pipeline through Airflow's own scheduler. The oracle is SQL on the source, never our own code."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import signal
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pytest

from lake.layers import marts
from lake.layers.dbt_artifacts import KEPT, address
from lake.platform import catalog, sql, storage
from lake.platform.airflow import Airflow
from tests.end_to_end.driving import change, lake, source, write

REVENUE = "SELECT SUM(sales_value) FROM order_items JOIN orders USING (order_id) WHERE status <> 'cancelled'"
DAILY = (
    "SELECT DATE(ordered_at), SUM(sales_value) FROM order_items JOIN orders USING (order_id) "
    "WHERE status <> 'cancelled' GROUP BY 1 ORDER BY 1"
)
FACTS = [("fct_order_items", "order_items", "order_item_id"), ("fct_payments", "payments", "payment_id")]


def assert_lake_equals_shop() -> None:
    """Every business day's revenue to the cent, and every table's rows."""
    days = sql.rows("SELECT date_day, revenue FROM marts.daily_revenue WHERE revenue <> 0 ORDER BY 1")
    assert [(row["date_day"], row["revenue"]) for row in days] == [row for row in source(DAILY) if row[1]]
    for table in ("customers", "orders", "order_items", "payments", "refunds", "shipments", "campaign_customers"):
        (in_lake,) = sql.query(f"SELECT count(*) FROM cleaned.{table}")[1][0]
        assert (table, in_lake) == (table, source(f"SELECT COUNT(*) FROM {table}")[0][0])
    for fact, table, key in FACTS:
        lines = sql.query(f"SELECT {key}, order_id FROM curated.{fact}")[1]
        assert sorted(lines) == sorted([*row] for row in source(f"SELECT {key}, order_id FROM {table}"))


def test_full_load_equals_the_shop(published: dict[str, Any]) -> None:
    assert_lake_equals_shop()
    printed = json.loads(lake("sql", "select sum(revenue) as revenue from marts.daily_revenue", "--format", "json"))
    assert Decimal(printed[0]["revenue"]) == source(REVENUE)[0][0]
    for counts in published["tables"].values():
        assert counts["valid"] + counts["refused"] == counts["judged"] == counts["read"] == counts["source_rows"]
    assert published["checks"]["failed"] == 0
    newest = json.loads(lake("receipts", "--json"))[0]
    assert newest["lake_commit"] == catalog.head()
    assert catalog.knows(published["lake_commit"])


def test_what_dbt_tells_of_the_build_is_kept(published: dict[str, Any]) -> None:
    manifest, results = (json.loads(gzip.decompress(storage.get(address(published["run_id"], each)))) for each in KEPT)
    assert marts.manifest_sha256(manifest) == published["dbt_manifest_sha256"]
    statuses = {result["status"] for result in results["results"]}
    assert statuses == {"success", "pass"}


@pytest.mark.thorough
def test_what_the_contracts_say_holds_by_dbt_s_own_tests_too(published: dict[str, Any], tmp_path: Path) -> None:
    result = marts._invoke(["test", "--select", f"tag:{marts.CONTRACT_TAG}"], catalog.MAIN, tmp_path)
    assert len(result.tests) > 100
    assert set(result.tests.values()) == {"pass"}


@pytest.mark.thorough
def test_the_pages_of_the_marts(published: dict[str, Any]) -> None:
    printed = lake("docs")
    page = Path(printed.split()[1]).read_text("utf-8")
    assert "model.shoplake.daily_revenue" in page
    assert "exposure.shoplake.report_business" in page


def test_a_run_that_finds_nothing_new_publishes_nothing(published: dict[str, Any]) -> None:
    lake("run")  # what an earlier test may have left
    before, head = json.loads(lake("receipts", "--json"))[0], catalog.head()

    printed = lake("run")

    receipt = json.loads(lake("receipts", "--json"))[0]
    since = before["unchanged_since"] or before["run_id"]
    assert (receipt["unchanged_since"], receipt["lake_commit"]) == (since, before["lake_commit"])
    assert receipt["source_instant"] > before["source_instant"]
    assert catalog.head() == head
    assert f"unchanged      since {since}" in printed
    assert "shop_lake clean: skipped" in printed


def test_increment_reads_only_what_changed(published: dict[str, Any]) -> None:
    """It starts where the one before ended, which found nothing new."""
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


@pytest.mark.thorough
def test_lines_that_are_deleted_or_go_to_another_order_leave_their_order(published: dict[str, Any]) -> None:
    """Their orders are not touched by it, and of the deleted line the source tells no more than its key."""
    lines = source("SELECT order_item_id, order_id FROM order_items ORDER BY 1 LIMIT 100")
    gone, its_order = lines[0]
    moved, from_order = next((item, order) for item, order in lines if order != its_order)
    (to_order,) = source("SELECT MAX(order_id) FROM orders WHERE status = 'delivered'")[0]
    assert to_order not in (its_order, from_order)

    write(f"DELETE FROM order_items WHERE order_item_id = {gone}")
    write(f"UPDATE order_items SET order_id = {to_order} WHERE order_item_id = {moved}")
    lake("run")

    assert_lake_equals_shop()


@pytest.mark.thorough
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


@pytest.mark.thorough
def test_bad_rows_go_to_quarantine_and_come_back_when_mended(published: dict[str, Any]) -> None:
    """One item with a negative quantity, and one order of an unknown status, which takes its items along."""
    (bad_item, its_order) = source("SELECT order_item_id, order_id FROM order_items ORDER BY 1 LIMIT 1")[0]
    (bad_order,) = source(f"SELECT MAX(order_id) FROM orders WHERE order_id <> {its_order} AND status = 'delivered'")[0]
    followers = [item for (item,) in source(f"SELECT order_item_id FROM order_items WHERE order_id = {bad_order}")]
    assert followers

    write(f"UPDATE order_items SET quantity = -1 WHERE order_item_id = {bad_item}")
    write(f"UPDATE IGNORE orders SET status = 'lost' WHERE order_id = {bad_order}")
    lake("run")

    refused = {int(row["order_item_id"]): row["_reasons"] for row in sql.rows("SELECT * FROM quarantine.order_items")}
    assert refused == {bad_item: ["below_minimum:quantity"]} | {item: ["orphan:order_id"] for item in followers}
    orders = sql.rows("SELECT order_id, _reasons FROM quarantine.orders")
    assert [(int(row["order_id"]), row["_reasons"]) for row in orders] == [(bad_order, ["not_accepted:status"])]
    (held,) = sql.query("SELECT count(*) FROM cleaned.order_items")[1][0]
    assert held + len(refused) == source("SELECT COUNT(*) FROM order_items")[0][0]

    write(f"UPDATE order_items SET quantity = 1 WHERE order_item_id = {bad_item}")
    write(f"UPDATE orders SET status = 'delivered' WHERE order_id = {bad_order}")
    lake("run")

    assert sql.rows("SELECT 1 FROM quarantine.order_items UNION ALL SELECT 1 FROM quarantine.orders") == []
    assert_lake_equals_shop()


@pytest.mark.thorough
def test_a_table_that_changed_its_shape_holds_back_only_itself_and_what_is_made_of_it(
    published: dict[str, Any],
) -> None:
    """A column of shipments that was renamed, or dropped: who knows? A new label of payments can only be one thing."""
    lake("run")
    before, facts = json.loads(lake("receipts", "--json"))[0], catalog.contents()["curated.fct_orders"]
    (payment,) = source("SELECT MIN(payment_id) FROM payments WHERE method = 'card'")[0]
    methods = "ENUM('card','cash','paypal','voucher')", "ENUM('card','cash','paypal','voucher','cheque')"

    change("ALTER TABLE shipments RENAME COLUMN carrier TO courier")
    change(f"ALTER TABLE payments MODIFY method {methods[1]} NOT NULL")
    write(f"UPDATE payments SET method = 'cheque' WHERE payment_id = {payment}")
    printed = lake("run")

    tables = json.loads(lake("receipts", "--json"))[0]["tables"]
    assert (tables["shipments"]["mode"], tables["shipments"]["held_since"]) == ("held back", before["source_instant"])
    assert "column shipments.carrier is not in the source" in tables["shipments"]["reason"]
    assert tables["payments"]["followed"] == [f"method: {methods[0].lower()} is now {methods[1].lower()}"]
    assert sql.query("SELECT payment_id FROM cleaned.payments WHERE method = 'cheque'")[1] == [[payment]]
    assert sql.query("SELECT payment_id FROM curated.fct_payments WHERE method = 'cheque'")[1] == [[payment]]
    assert catalog.contents()["curated.fct_orders"] == facts
    for told in (printed, lake("status")):
        assert "shipments is held back" in told

    write(f"UPDATE payments SET method = 'card' WHERE payment_id = {payment}")
    change(f"ALTER TABLE payments MODIFY method {methods[0]} NOT NULL")
    change("ALTER TABLE shipments RENAME COLUMN courier TO carrier")
    lake("run")

    assert "held back" not in {
        counts["mode"] for counts in json.loads(lake("receipts", "--json"))[0]["tables"].values()
    }
    assert catalog.contents()["curated.fct_orders"] != facts
    assert_lake_equals_shop()


def test_status_names_every_service_as_healthy(platform: None) -> None:
    states = {service["name"]: service["state"] for service in json.loads(lake("status", "--json"))}
    assert set(states.values()) == {"healthy"}
    assert {"mariadb-primary", "mariadb-replica", "minio", "nessie", "spark", "trino", "airflow-scheduler"} <= set(
        states
    )
