"""The metrics that `lake exporter` serves: the one place that says what each is called, measures and is labelled with.

Names and units follow Prometheus' conventions: instants are Unix time and end in ``_timestamp_seconds``, durations in
``_seconds``, sizes in ``_bytes``, counters in ``_total``; all else is a gauge. `docs/monitoring.md` shows the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["gauge", "counter"]
Unit = Literal[
    "seconds", "Unix seconds", "bytes", "1 or 0", "rows", "rows/s", "transactions", "orders/min", "money", "count",
    "the metric's",
]  # fmt: skip


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: as Prometheus knows it.
        unit: of its values, for people; ``count`` for what has none.
        labels: names of its labels, in the order of a sample's values.
        help: what it measures, in a sentence.
        collectors: names of those that find it; none for what the exporter says of itself.
    """

    name: str
    unit: Unit
    labels: tuple[str, ...]
    help: str
    collectors: tuple[str, ...] = ()
    kind: Kind = "gauge"

    def __call__(self, value: float, *labels: str) -> Sample:
        """A sample of it.

        Args:
            labels: values of its labels, in their order.
        """
        if len(labels) != len(self.labels):
            raise ValueError(f"{self.name} takes {len(self.labels)} labels {self.labels}, not {labels}")
        return Sample(self, float(value), labels)


@dataclass(frozen=True, slots=True)
class Sample:
    """What a metric is at the moment, for some values of its labels."""

    metric: Metric
    value: float
    labels: tuple[str, ...]


# -- what was published
_RECEIPTS = ("receipts",)
PUBLISHED = Metric(
    "shoplake_published_timestamp_seconds", "Unix seconds", (),
    "When the newest receipt was written: by a run that published, or found that nothing had changed.", _RECEIPTS,
)  # fmt: skip
HELD = Metric(
    "shoplake_table_held", "1 or 0", ("source", "table"),
    "Whether the newest receipt says of a table that it is held back.", _RECEIPTS,
)  # fmt: skip
HELD_SINCE = Metric(
    "shoplake_table_held_since_timestamp_seconds", "Unix seconds", ("source", "table"),
    "As of which instant the lake shows a table that is held back; none for one that never was read.", _RECEIPTS,
)  # fmt: skip
QUARANTINE = Metric(
    "shoplake_quarantine_rows", "rows", ("source", "table", "reason"),
    "Rows in quarantine by reason; a row with several counts for each. "
    "The five commonest of a table are named, the others are 'other'.", _RECEIPTS,
)  # fmt: skip

_LAKE = ("lake",)
ROWS = Metric(
    "shoplake_table_rows", "rows", ("layer", "table"),
    "Rows of a table on main: of cleaned and quarantine as the audit counted them, of curated and marts as the catalog "
    "has them.", _RECEIPTS + _LAKE,
)  # fmt: skip
FILES = Metric(
    "shoplake_lake_files", "count", ("layer", "content"),
    "Files that main's tables consist of: content is data or deletes.", _LAKE,
)  # fmt: skip
BYTES = Metric("shoplake_lake_bytes", "bytes", ("layer",), "Size of the files that main's tables consist of.", _LAKE)

_BRANCHES = ("branches",)
BRANCHES = Metric(
    "shoplake_branches", "count", ("kind",),
    "Branches of the catalog beside main: of runs, of maintenance, of parity's ledger, and others.", _BRANCHES,
)  # fmt: skip

_FRESHNESS = ("freshness",)
SOURCE_AS_OF = Metric(
    "shoplake_source_as_of_timestamp_seconds", "Unix seconds", ("source",),
    "The newest instant as of which the lake shows a table of a source.", _FRESHNESS,
)  # fmt: skip
AS_OF = Metric(
    "shoplake_table_as_of_timestamp_seconds", "Unix seconds", ("source", "table"),
    "The instant at which the source held what the lake shows of a table.", _FRESHNESS,
)  # fmt: skip
STALE_AFTER = Metric(
    "shoplake_table_stale_after_seconds", "seconds", ("source", "table"),
    "How old the lake's copy of a table may be now: by its contract, by a setting, or since the third last scheduled "
    "run; none where nothing says it.", _FRESHNESS,
)  # fmt: skip

_AUDIT = ("audit",)
CHECKS = Metric(
    "shoplake_audit_checks", "count", ("result",),
    "Checks of the newest run that was audited, published or not: passed, failed (they stop the publish), warned.",
    _AUDIT,
)  # fmt: skip

_PARITY = ("parity",)
DRIFT = Metric(
    "shoplake_parity_drift_rows", "rows", ("source", "table", "against"),
    "Rows that the last sweep of parity found to differ from the source, or from the primary behind it.", _PARITY,
)  # fmt: skip
VERIFIED = Metric(
    "shoplake_table_verified_timestamp_seconds", "Unix seconds", ("source", "table"),
    "Up to when a table was proven equal to its source, row by row; none for never.", _PARITY,
)  # fmt: skip

# -- what is at work
_AIRFLOW = ("airflow",)
RUN_DURATION = Metric(
    "shoplake_dag_run_duration_seconds", "seconds", ("dag_id",),
    "How long the run of a DAG took that ended last.", _AIRFLOW,
)  # fmt: skip
RUN_ENDED = Metric(
    "shoplake_dag_run_ended_timestamp_seconds", "Unix seconds", ("dag_id", "state"),
    "When a run of a DAG last ended in a state: success or failed.", _AIRFLOW,
)  # fmt: skip
TASK_DURATION = Metric(
    "shoplake_task_duration_seconds", "seconds", ("dag_id", "task_id"),
    "How long a task took in the run of its DAG that ended last; of a mapped task, the longest.", _AIRFLOW,
)  # fmt: skip
TASK_RUNNING = Metric(
    "shoplake_task_running_seconds", "seconds", ("dag_id", "task_id"),
    "For how long a task is at work by now; of several, the longest.", _AIRFLOW,
)  # fmt: skip
INTERVAL = Metric(
    "shoplake_dag_schedule_interval_seconds", "seconds", ("dag_id",),
    "Longest time between the last three scheduled runs of a DAG and the next; none for one without a schedule, or "
    "paused.", _AIRFLOW,
)  # fmt: skip

_FAILURES = ("failures",)
TASK_FAILURES = Metric(
    "shoplake_task_failures_total", "count", ("dag_id", "task_id"),
    "Tasks that have failed for good, their retries used up.", _FAILURES, "counter",
)  # fmt: skip
ERRORS = Metric(
    "shoplake_errors_total", "count", ("class",),
    "The same by the class of the error that a task ended with, as its log has it; 'unknown' for one that was killed.",
    _FAILURES, "counter",
)  # fmt: skip

_EXTRACTION = ("extraction",)
SPEED = Metric(
    "shoplake_extraction_rows_per_second", "rows/s", ("source",),
    "Rows that the last extraction which read any read of a source, by the seconds of its task.", _EXTRACTION,
)  # fmt: skip

# -- the sources
_REPLICATION = ("replication",)
SOURCE_UP = Metric(
    "shoplake_source_up", "1 or 0", ("source",), "Whether a source takes the lake's user and answers.", _REPLICATION
)
RUNNING = Metric(
    "shoplake_replication_running", "1 or 0", ("source", "thread"),
    "Whether a thread of a source's replication is at work: io receives, sql applies. None for a source that is no "
    "replica.", _REPLICATION,
)  # fmt: skip
LAG = Metric(
    "shoplake_replication_lag_seconds", "seconds", ("source",),
    "How far a replica is behind its primary: what it says itself or, where that is more, since when the primary has "
    "had what the replica has not.", _REPLICATION,
)  # fmt: skip
LAG_TRANSACTIONS = Metric(
    "shoplake_replication_lag_transactions", "transactions", ("source",),
    "Transactions that a replica has not applied: of the primary's, where that is asked; else of those that it has "
    "received.", _REPLICATION,
)  # fmt: skip

_SHOP = ("shop",)
ORDERS = Metric(
    "shoplake_shop_orders_per_minute", "orders/min", (),
    "Orders of the demo shop in the last five minutes, for each of them.", _SHOP,
)  # fmt: skip
REVENUE = Metric(
    "shoplake_shop_revenue_today", "money", (),
    "Revenue of the demo shop since midnight UTC: orders that are not cancelled, in the shop's currency.", _SHOP,
)  # fmt: skip

# -- the shop's business, as it was published
_BUSINESS = ("business",)
BUSINESS_AS_OF = Metric(
    "shoplake_business_as_of_timestamp_seconds", "Unix seconds", ("receipt",),
    "When the shop was read that the business figures are of, and the receipt that proves them.", _BUSINESS,
)  # fmt: skip
BUSINESS = Metric(
    "shoplake_business_value", "the metric's", ("metric", "day"),
    "A metric of infra/prometheus/business.yml, a share as a fraction of 1: of today as far as the shop was read, of "
    "yesterday, and of week_before, which is the same weekday as yesterday. None where the lake knows nothing.",
    _BUSINESS,
)  # fmt: skip
BUSINESS_OF_DEPARTMENT = Metric(
    "shoplake_business_department_value", "the metric's", ("metric", "department", "day"),
    "The same of a department, for metrics that are told by it; the thirty largest are named, the others are 'other'.",
    _BUSINESS,
)  # fmt: skip
NEWEST_DAY = Metric(
    "shoplake_business_newest_day_timestamp_seconds", "Unix seconds", ("metric",),
    "The beginning of the newest day of which the published lake has anything of a metric; none after 35 days without.",
    _BUSINESS,
)  # fmt: skip
RULE_BROKEN = Metric(
    "shoplake_shop_rule_broken", "1 or 0", ("rule", "segment", "severity", "state", "receipt"),
    "1 for each alert of a rule of lake/alerts/rules.yml that Alertmanager has up: broken, or no data to judge by, and "
    "the receipt that it was found in.", ("shop_alerts",),
)  # fmt: skip

# -- the exporter itself
COLLECTOR_UP = Metric(
    "shoplake_exporter_up", "1 or 0", ("collector",),
    "Whether a collector's last collection came to its end, and the one under way is within its limit.",
)  # fmt: skip
COLLECT_SECONDS = Metric(
    "shoplake_exporter_collect_seconds", "seconds", ("collector",),
    "How long a collector's last collection took, or the one under way does where that is longer.",
)  # fmt: skip
COLLECTED = Metric(
    "shoplake_exporter_collected_timestamp_seconds", "Unix seconds", ("collector",),
    "When the values that are shown of a collector were found.",
)  # fmt: skip
LEFT_OUT = Metric(
    "shoplake_exporter_tables_left_out", "count", ("collector",),
    "Tables without series of their own, because there are more than the exporter shows.",
)  # fmt: skip

METRICS: tuple[Metric, ...] = tuple(value for value in globals().copy().values() if isinstance(value, Metric))
"""All of them, in the order of this module."""

ITSELF = "the exporter"
"""What the table says of the metrics that no collector finds."""


def table() -> str:
    """The table of `docs/monitoring.md`, in Markdown."""
    rows = ["| metric | labels | kind, unit | what it says | collector |", "|---|---|---|---|---|"]
    for one in METRICS:
        labels = ", ".join(f"`{name}`" for name in one.labels)
        found_by = ", ".join(f"`{name}`" for name in one.collectors) or ITSELF
        rows.append(f"| `{one.name}` | {labels} | {one.kind}, {one.unit} | {one.help} | {found_by} |")
    return "\n".join(rows)
