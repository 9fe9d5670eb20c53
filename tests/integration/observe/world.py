"""A day in the life of a platform, as Prometheus would have seen it: figures that are plausible, and every one made up.

The names and labels are those that our exporter and the exporters of MySQL 0.17, MariaDB and the machine serve. As
OpenMetrics text it becomes blocks of Prometheus' own (``promtool tsdb create-blocks-from openmetrics``), so that a
Prometheus shows a day without one having passed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

HOUR, DAY = 3600, 86400
Course = Callable[[float], float]
"""The value at an instant, in seconds since the day began."""


@dataclass(frozen=True)
class Series:
    """One series."""

    metric: str
    labels: dict[str, str]
    course: Course

    @property
    def head(self) -> str:
        """As it stands before the value."""
        labels = ",".join(f'{name}="{value}"' for name, value in self.labels.items())
        return f"{self.metric}{{{labels}}}"


def openmetrics(start: float, seconds: float, tables: int = 15, step: int = 30) -> Iterator[str]:
    """All series in OpenMetrics' text form, family by family.

    Args:
        start: Unix time of the first sample.
        tables: how many tables the lake has; the exporter bounds them at 2,000.
        step: seconds between two samples.
    """
    families: dict[str, list[Series]] = {}
    for series in everything(start, tables):
        families.setdefault(series.metric, []).append(series)
    for metric, members in families.items():
        yield f"# TYPE {metric} unknown\n"
        for series in members:
            for at in range(0, int(seconds) + 1, step):
                yield f"{series.head} {series.course(at):.10g} {start + at:.0f}\n"
    yield "# EOF\n"


def everything(start: float, tables: int) -> Iterator[Series]:
    """What every part of the platform says of itself."""
    yield from _lake(start, tables)
    yield from _pipeline(start)
    yield from _sources()
    yield from _databases()
    yield from _airflow()
    yield from _machine(start)
    yield from _watching(start)


# -- courses
def flat(value: float) -> Course:
    return lambda t: value


def wave(mean: float, swing: float, period: float = DAY, shift: float = 0) -> Course:
    return lambda t: max(
        0.0, mean + swing * math.sin(2 * math.pi * (t + shift) / period) + swing * 0.15 * _noise(t, shift)
    )


def growing(by_second: float, start: float = 0) -> Course:
    return lambda t: start + by_second * t


def counting(mean: float, swing: float = 0, period: float = DAY, shift: float = 0) -> Course:
    """A counter of what happens at a rate that is a wave: its integral, which grows while the mean is the larger."""
    turn = 2 * math.pi / period
    return lambda t: mean * t + swing / turn * (math.cos(turn * shift) - math.cos(turn * (t + shift)))


def saw(period: float, offset: float = 0) -> Course:
    """Seconds since the last of a regular event."""
    return lambda t: (t + offset) % period


def _noise(t: float, seed: float) -> float:
    return math.sin(t / 31 + seed) * math.cos(t / 47)


# -- the parts
REAL = (
    "order_items", "orders", "products", "customers", "payments", "shipments", "clickstream", "inventory", "coupons",
    "coupon_redemptions", "campaigns", "campaign_customers", "categories", "reviews", "stores",
)  # fmt: skip


def _lake(start: float, tables: int) -> Iterator[Series]:
    def lake(metric: str, course: Course, **labels: str) -> Series:
        return Series(f"shoplake_{metric}", {"instance": "exporter", "job": "lake", **labels}, course)

    published = saw(HOUR, 40 * 60)
    yield lake("published_timestamp_seconds", lambda t: start + t - published(t))
    yield lake("source_as_of_timestamp_seconds", lambda t: start + t - published(t) - 140, source="shop")
    names = [REAL[at] if at < len(REAL) else f"table_{at:04}" for at in range(tables)]
    for at, table in enumerate(names):
        of = {"source": "shop", "table": table}
        rows = 1_500_000 / (at + 1) ** 1.4
        yield lake("table_as_of_timestamp_seconds", lambda t, at=at: start + t - published(t) - 140 - at, **of)  # type: ignore[misc]
        yield lake("table_stale_after_seconds", flat(4 * HOUR), **of)
        yield lake("table_verified_timestamp_seconds", lambda t, at=at: start + t - saw(DAY, at * 600)(t), **of)  # type: ignore[misc]
        yield lake("table_rows", growing(rows / DAY / 40, rows), layer="cleaned", table=table)
        yield lake("table_held", flat(float(table == "reviews")), **of)
        if table == "reviews":
            yield lake("table_held_since_timestamp_seconds", flat(start + 20 * HOUR), **of)
        yield lake("parity_drift_rows", flat(0), against="source", **of)
    for reason, rows in (("not_null", 41.0), ("range", 12.0), ("type", 3.0)):
        yield lake("quarantine_rows", growing(rows / DAY, rows), source="shop", table="orders", reason=reason)
    for layer, table, rows in (
        ("quarantine", "orders", 56),
        ("curated", "fct_sales", 1.4e6),
        ("marts", "daily_revenue", 365),
    ):
        yield lake("table_rows", growing(rows / DAY / 30, rows), layer=layer, table=table)
    for result, count in (("passed", 214.0), ("failed", 0.0), ("warned", 2.0)):
        yield lake("audit_checks", flat(count), result=result)
    for layer, files, size in (
        ("raw", 640, 3.1e8),
        ("cleaned", 210, 1.6e8),
        ("curated", 48, 1.1e8),
        ("marts", 22, 4e6),
    ):
        yield lake("lake_bytes", growing(size / DAY / 60, size), layer=layer)
        yield lake("lake_files", lambda t, n=files: n + t // HOUR * 3 % 70, layer=layer, content="data")  # type: ignore[misc]
        yield lake("lake_files", lambda t, n=files: n / 20 + t // HOUR * 2 % 24, layer=layer, content="deletes")  # type: ignore[misc]
    for kind, count in (("run", 2.0), ("maintenance", 0.0), ("parity", 1.0), ("other", 0.0)):
        yield lake("branches", flat(count), kind=kind)
    for collector, took in (("receipts", 0.4), ("lake", 2.8), ("airflow", 0.6), ("replication", 0.05), ("shop", 0.02)):
        yield lake("exporter_up", flat(1), collector=collector)
        yield lake("exporter_collect_seconds", wave(took, took / 4, HOUR), collector=collector)
        yield lake("exporter_tables_left_out", flat(0), collector=collector)
    yield from _business(start)
    yield lake("shop_orders_per_minute", wave(18, 14, shift=-6 * HOUR))
    yield lake("shop_revenue_today", lambda t: 0.35 * ((start + t) % DAY))


FIGURES = {
    "revenue": 31_250.75, "orders": 812, "average_order_value": 38.49, "payment_failure_rate": 0.021,
    "refund_rate": 0.013, "sessions": 9_400, "conversion_rate": 0.031,
}  # fmt: skip


def _business(start: float) -> Iterator[Series]:
    def lake(name: str, course: Course, **labels: str) -> Series:
        return Series(f"shoplake_{name}", {"instance": "exporter", "job": "lake", **labels}, course)

    def midnight(t: float) -> float:
        return (start + t) // DAY * DAY

    published = saw(HOUR, 40 * 60)
    yield lake("business_as_of_timestamp_seconds", lambda t: start + t - published(t) - 140, receipt="shop_20261127T14")
    for metric, value in FIGURES.items():
        share = value if value < 1 or "average" in metric else None
        yield lake(
            "business_value",
            lambda t, value=value, share=share: share or value * ((start + t) % DAY) / DAY,
            metric=metric,
            day="today",
        )  # type: ignore[misc]
        yield lake("business_value", flat(value), metric=metric, day="yesterday")
        yield lake("business_value", flat(value * 0.94), metric=metric, day="week_before")
        yield lake("business_newest_day_timestamp_seconds", midnight, metric=metric)
    for place, department in enumerate(("GROCERY", "DRUG GM", "PRODUCE", "MEAT", "DELI", "PASTRY", "FUEL", "SALAD")):
        of = {"metric": "revenue", "department": department, "day": "yesterday"}
        yield lake("business_department_value", flat(16_000 / 1.7**place), **of)
    broken = {"rule": "department_falls", "segment": "MEAT", "severity": "warning", "state": "broken"}
    yield lake("shop_rule_broken", flat(1), receipt="shop_20261127T14", **broken)


TASKS = {
    "start": 3,
    "sources": 1,
    "extract": 42,
    "register": 9,
    "clean": 88,
    "curate": 51,
    "marts": 64,
    "audit": 37,
    "publish": 6,
}


def _pipeline(start: float) -> Iterator[Series]:
    def lake(metric: str, course: Course, **labels: str) -> Series:
        return Series(f"shoplake_{metric}", {"instance": "exporter", "job": "lake", **labels}, course)

    for dag, every, took in (
        ("shop_lake", HOUR, 330.0), ("alerting", HOUR, 9.0), ("reports", HOUR, 24.0), ("watch", 600, 5.0),
        ("parity", DAY, 410.0), ("maintenance", DAY, 620.0),
    ):  # fmt: skip
        yield lake("dag_run_duration_seconds", wave(took, took / 9, 5 * HOUR), dag_id=dag)
        ended = saw(every, 12 * 60)
        yield lake(
            "dag_run_ended_timestamp_seconds", lambda t, ended=ended: start + t - ended(t), dag_id=dag, state="success"
        )  # type: ignore[misc]
        yield lake("dag_schedule_interval_seconds", flat(every), dag_id=dag)
    yield lake("dag_run_ended_timestamp_seconds", flat(start + 9 * HOUR), dag_id="shop_lake", state="failed")
    for task, seconds in TASKS.items():
        of = {"dag_id": "shop_lake", "task_id": task}
        yield lake("task_duration_seconds", wave(seconds, seconds / 9, 5 * HOUR, seconds), **of)
        yield lake("task_failures_total", lambda t, task=task: float(task == "extract" and t > 9 * HOUR), **of)  # type: ignore[misc]
    yield lake("task_running_seconds", saw(60 * 5), dag_id="shop_lake", task_id="clean")
    yield lake("errors_total", lambda t: float(t > 9 * HOUR), **{"class": "SourceLostError"})


def _sources() -> Iterator[Series]:
    for source in ("shop", "crm"):
        of = {"instance": "exporter", "job": "lake", "source": source}
        yield Series("shoplake_source_up", of, flat(1))
        yield Series("shoplake_extraction_rows_per_second", of, wave(184_000, 9_000, 7 * HOUR))
        yield Series("shoplake_replication_lag_seconds", of, lambda t: 95 * math.exp(-(((t - 15 * HOUR) / 1800) ** 2)))
        yield Series(
            "shoplake_replication_lag_transactions", of, lambda t: 4200 * math.exp(-(((t - 15 * HOUR) / 1500) ** 2))
        )
        for thread in ("io", "sql"):
            yield Series("shoplake_replication_running", {**of, "thread": thread}, flat(1))


def _databases() -> Iterator[Series]:
    for role, busy in (("primary", 1.0), ("replica", 0.4)):
        for metric, labels, course in _database(busy, role == "replica"):
            of = {"instance": f"mariadb-{role}", "job": "mysql", "role": role, "server": "mariadb"}
            yield Series(f"mysql_{metric}", {**of, **labels}, course)


def _database(busy: float, is_replica: bool) -> Iterator[tuple[str, dict[str, str], Course]]:
    yield "up", {}, flat(1)
    status = "global_status_"
    yield status + "uptime", {}, growing(1, 9 * DAY)
    yield "global_variables_read_only", {}, flat(float(is_replica))
    yield "global_variables_max_connections", {}, flat(100)
    yield status + "threads_connected", {}, wave(22 * busy, 9 * busy, 9 * HOUR)
    yield status + "threads_running", {}, wave(4 * busy + 1, 2 * busy, 3 * HOUR)
    yield status + "questions", {}, counting(240 * busy, 120 * busy)
    for command, rate in (("select", 160), ("insert", 34), ("update", 22), ("delete", 1), ("commit", 30)):
        yield status + "commands_total", {"command": command}, counting(rate * busy, rate * busy / 2)
    yield status + "slow_queries", {}, growing(0.004 * busy)
    yield status + "connection_errors_total", {"error": "max_connections"}, flat(0)
    yield status + "aborted_connects", {}, growing(0.001)
    yield status + "aborted_clients", {}, growing(0.002)
    yield status + "innodb_buffer_pool_reads", {}, counting(30 * busy, 20 * busy, 5 * HOUR)
    yield status + "innodb_buffer_pool_read_requests", {}, counting(9000 * busy, 3000 * busy)
    for state, pages in (("data", 21_000), ("free", 9_000), ("misc", 900), ("old", 7_700)):
        yield status + "buffer_pool_pages", {"state": state}, flat(pages * (0.5 + busy / 2))
    yield status + "innodb_page_size", {}, flat(16_384)
    yield status + "bytes_sent", {}, counting(1.4e6, 1.2e6, HOUR)
    yield status + "bytes_received", {}, counting(9e4 * busy, 3e4 * busy)
    yield "binlog_size_bytes", {}, lambda t: 2e8 + t * 9000 % 9e8
    yield status + "innodb_row_lock_time", {}, counting(4 * busy, 4 * busy, 4 * HOUR)
    yield "info_schema_innodb_metrics_transaction_trx_rseg_history_len", {}, wave(900 * busy, 700 * busy, HOUR)
    yield status + "created_tmp_disk_tables", {}, counting(0.2, 0.15, HOUR)
    if is_replica:
        yield (
            "slave_status_seconds_behind_master",
            {"channel_name": ""},
            lambda t: 90 * math.exp(-(((t - 15 * HOUR) / 1800) ** 2)),
        )
        yield "slave_status_relay_log_space", {"channel_name": ""}, wave(6e6, 5e6, HOUR)
        yield "slave_status_last_io_errno", {"channel_name": ""}, flat(0)
        yield "slave_status_last_sql_errno", {"channel_name": ""}, flat(0)


def _airflow() -> Iterator[Series]:
    def airflow(metric: str, course: Course, **labels: str) -> Series:
        return Series(f"airflow_{metric}", {"instance": "airflow", "job": "airflow", **labels}, course)

    yield airflow("scheduler_heartbeat", growing(0.2))
    yield airflow("dagbag_size", flat(6))
    yield airflow("dag_processing_import_errors", flat(0))
    yield airflow("dag_processing_total_parse_time", wave(1.9, 0.4, HOUR))
    yield airflow("scheduler_dagruns_running", flat(1))
    yield airflow("executor_running_tasks", wave(1.2, 1.1, HOUR))
    yield airflow("executor_queued_tasks", wave(0.2, 0.4, HOUR))
    yield airflow("executor_open_slots", wave(2.6, 1.2, HOUR, 1800))
    for pool, slots in (("default_pool", 128.0), ("source", 4.0), ("spark", 2.0), ("trino", 4.0)):
        yield airflow("pool_open_slots", wave(slots - 0.5, 0.5, HOUR, slots), pool_name=pool)
        yield airflow("pool_running_slots", wave(0.5, 0.5, HOUR, slots), pool_name=pool)
        yield airflow("pool_queued_slots", wave(0.2, 0.3, HOUR, slots), pool_name=pool)
    yield airflow("scheduler_tasks_starving", flat(0))
    for timer, seconds in (("scheduler_scheduler_loop_duration", 0.09),):
        yield airflow(f"{timer}_count", growing(4))
        yield airflow(f"{timer}_sum", growing(4 * seconds))
    for dag in ("shop_lake", "watch"):
        for timer, seconds in (("task_scheduled_duration", 0.7), ("dagrun_schedule_delay", 1.4)):
            yield airflow(f"{timer}_count", growing(1 / 300), dag_id=dag)
            yield airflow(f"{timer}_sum", growing(seconds / 300), dag_id=dag)
    for state, rate in (("success", 0.01), ("failed", 0.0001), ("skipped", 0.002)):
        yield airflow("ti_finish", growing(rate), state=state, dag_id="shop_lake", task_id="clean")
    for lost in (
        "task_instances_without_heartbeats_killed",
        "scheduler_tasks_killed_externally",
        "scheduler_orphaned_tasks_cleared",
    ):
        yield airflow(lost, flat(0))


def _machine(start: float) -> Iterator[Series]:
    def node(metric: str, course: Course, **labels: str) -> Series:
        return Series(f"node_{metric}", {"instance": "node-exporter", "job": "node", **labels}, course)

    for cpu in ("0", "1"):
        for mode, share in (("user", 0.22), ("system", 0.08), ("iowait", 0.03), ("steal", 0.01)):
            yield node("cpu_seconds_total", counting(share, share / 2, HOUR), cpu=cpu, mode=mode)
        yield node("cpu_seconds_total", counting(0.66, 0.17, HOUR, HOUR / 2), cpu=cpu, mode="idle")
    yield node("load5", wave(1.1, 0.6, HOUR))
    yield node("memory_MemTotal_bytes", flat(25.2e9))
    yield node("memory_MemAvailable_bytes", wave(14e9, 2e9, 5 * HOUR))
    yield node("vmstat_oom_kill", flat(0))
    yield node("boot_time_seconds", flat(start - 12 * DAY))
    yield node("procs_running", wave(3, 2, HOUR))
    yield node("procs_blocked", wave(0.4, 0.4, HOUR))
    for mount, size in (("/", 60e9), ("/data", 400e9)):
        of = {"device": "/dev/vda", "fstype": "ext4", "mountpoint": mount}
        yield node("filesystem_size_bytes", flat(size), **of)
        yield node("filesystem_avail_bytes", growing(-2e4, size * 0.46), **of)
    for metric, rate in (("read_bytes", 3e6), ("written_bytes", 8e6), ("io_time_seconds", 0.11)):
        yield node(f"disk_{metric}_total", counting(rate, rate, HOUR), device="vda")
    for metric in ("receive", "transmit"):
        yield node(f"network_{metric}_bytes_total", counting(4e5, 2e5, HOUR), device="eth0")


def _watching(start: float) -> Iterator[Series]:
    for job, instance, memory in (
        ("lake", "exporter", 62e6), ("node", "node-exporter", 21e6), ("mysql", "mariadb-primary", 0),
        ("mysql", "mariadb-replica", 0), ("airflow", "airflow", 19e6), ("trino", "trino", 0), ("spark", "spark", 0),
        ("minio", "minio", 0), ("nessie", "nessie", 0), ("postgres", "postgres", 22e6),
        ("alertmanager", "alertmanager", 28e6), ("prometheus", "prometheus", 88e6),
    ):  # fmt: skip
        of = {"instance": instance, "job": job}
        yield Series("up", of, flat(1))
        yield Series("scrape_duration_seconds", of, wave(0.06, 0.03, HOUR, len(job)))
        if memory:
            yield Series("process_resident_memory_bytes", of, wave(memory, memory / 20, 3 * HOUR))
    of = {"instance": "prometheus", "job": "prometheus"}
    yield Series("prometheus_tsdb_head_series", of, wave(9400, 300, DAY))
    alerts = (
        {"alertname": "TableHeld", "severity": "warning", "source": "shop", "table": "reviews"},
        {"alertname": "Watchdog", "severity": "info"},
    )
    for alert in alerts:
        yield Series("ALERTS", {**alert, "alertstate": "firing"}, flat(1))
        yield Series("ALERTS_FOR_STATE", alert, flat(start + 20 * HOUR))
