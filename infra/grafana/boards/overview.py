"""Is all well? One screen for whoever is on call; every figure leads to the dashboard that tells more."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from infra.grafana.board import BUSINESS, HOST, LAKE, OVERVIEW, PIPELINE, REPLICATION, Section, board
from infra.grafana.panels import (
    ALL,
    ANSWERS,
    DISKS,
    NO_TASK,
    NOT_ONE,
    RED,
    Column,
    Limits,
    Query,
    bars,
    lines,
    number,
    rows,
)

FIRING = 'ALERTS{alertstate="firing",alertname!="Watchdog"}'
"""What fires now; Watchdog, the dead man's switch, always does."""

PLACES = '"instance", "source", "table", "dag_id", "task_id", "mountpoint", "collector"'
"""Labels of alerts that say what one is about: shown as one."""

BY_PLACE = "max by (severity, alertname, where)"
FIRING_WHERE = f'{BY_PLACE} (label_join({FIRING}, "where", " ", {PLACES}))'
SINCE = f'{BY_PLACE} (label_join(ALERTS_FOR_STATE{{alertname!="Watchdog"}}, "where", " ", {PLACES}))'
"""When what fires or waits began to hold, in Unix seconds."""

FRESH = Limits(yellow=2 * 3600, red=4 * 3600)
"""Of the lake, which is renewed every hour."""


def overview() -> Dashboard:
    """The first dashboard that anybody opens."""
    return board(
        OVERVIEW,
        "Overview",
        "Is all well? What is green needs nobody; every figure leads to more about it.",
        [
            Section(
                "Now",
                [
                    number(
                        "Alerts firing",
                        Query(f"count({FIRING}) or 0 * count(up)", "alerts"),
                        unit="none",
                        about="Alerts that fire now, without the dead man's switch, which always does. The table below "
                        "names them.",
                        limits=NOT_ONE,
                    ),
                    number(
                        "Parts that do not answer",
                        Query("count(up == 0) or 0 * count(up)", "parts"),
                        unit="none",
                        about="Scrape targets that Prometheus cannot reach: the part is down or its exporter is. "
                        "`lake status` and `lake logs NAME` tell more.",
                        limits=NOT_ONE,
                    ),
                    number(
                        "Age of the lake",
                        Query("time() - shoplake_published_timestamp_seconds", "since the last publish"),
                        unit="s",
                        about="Time since a run was last published. Readers see the lake as of then.",
                        limits=FRESH,
                        leads_to=LAKE,
                    ),
                    number(
                        "Stale tables",
                        Query(
                            "count(time() - shoplake_table_as_of_timestamp_seconds "
                            "> on (source, table) shoplake_table_stale_after_seconds) "
                            "or 0 * count(shoplake_table_as_of_timestamp_seconds)",
                            "tables",
                        ),
                        unit="none",
                        about="Tables whose rows are as of an instant further back than their limit.",
                        limits=NOT_ONE,
                        leads_to=LAKE,
                    ),
                    number(
                        "Checks failed",
                        Query('sum(shoplake_audit_checks{result="failed"})', "checks"),
                        unit="none",
                        about="Checks of the newest audited run that failed. A blocking one keeps the run from being "
                        "published.",
                        limits=NOT_ONE,
                        leads_to=LAKE,
                    ),
                    number(
                        "Worst replication lag",
                        Query("max(shoplake_replication_lag_seconds)", "of all sources"),
                        unit="s",
                        about="How far the replica furthest behind is behind its primary. A run reads what the replica "
                        "holds.",
                        limits=Limits(yellow=60, red=300),
                        leads_to=REPLICATION,
                    ),
                ],
            ),
            Section(
                "Since when",
                [
                    rows(
                        "Which alerts fire?",
                        {
                            FIRING_WHERE: Column("State", words={"1": ("firing", RED)}),
                            f"time() - ({SINCE} and {FIRING_WHERE})": Column("For", unit="s"),
                        },
                        labels={"severity": "Severity", "alertname": "Alert", "where": "Where"},
                        about="For how long each has held, the time until it fired included. Its runbook says what to "
                        "do (`docs/runbooks/`), and Alertmanager who heard of it.",
                        sort_by="Severity",
                        descending=False,
                        empty="none fires",
                    ),
                    bars(
                        "Which parts answer?",
                        Query("sort(min by (job) (up))", "{{job}}"),
                        unit="none",
                        about="Whether every target of a part answers Prometheus.",
                        limits=ALL,
                        words=ANSWERS,
                        maximum=1,
                        span=6,
                    ),
                    lines(
                        "Orders a minute",
                        Query("shoplake_shop_orders_per_minute", "orders"),
                        unit="none",
                        about="Orders that customers place in the demo shop. None at all at daytime is a fault of the "
                        "shop, not of the lake.",
                        span=6,
                    ),
                ],
            ),
            Section(
                "Is the pipeline on its way?",
                [
                    number(
                        "Last run of the pipeline",
                        Query(
                            'time() - max by (state) (shoplake_dag_run_ended_timestamp_seconds{dag_id="shop_lake"})',
                            "{{state}}",
                        ),
                        unit="s",
                        about="Time since a run of shop_lake last ended, for each way in which it can end.",
                        leads_to=PIPELINE,
                        span=6,
                    ),
                    number(
                        "Longest task at work",
                        Query(f"max(shoplake_task_running_seconds) or {NO_TASK}", "at work"),
                        unit="s",
                        about="How long the task that runs longest has been at work; none counts as zero.",
                        limits=Limits(yellow=1800, red=3600),
                        leads_to=PIPELINE,
                    ),
                    number(
                        "Tables held back",
                        Query("sum(shoplake_table_held)", "tables"),
                        unit="none",
                        about="Tables that are not read because their shape or their source stands against it. They "
                        "stay as they were published.",
                        limits=Limits(yellow=1),
                        leads_to=LAKE,
                    ),
                    number(
                        "Rows in quarantine",
                        Query('sum(shoplake_table_rows{layer="quarantine"})', "rows"),
                        unit="locale",
                        about="Rows that break a rule of their contract, over all tables.",
                        leads_to=LAKE,
                        course=True,
                    ),
                    number(
                        "Fullest disk",
                        Query(
                            f"1 - min(node_filesystem_avail_bytes{DISKS} / node_filesystem_size_bytes{DISKS})",
                            "in use",
                        ),
                        unit="percentunit",
                        about="Share of the fullest file system that is in use.",
                        limits=Limits(yellow=0.8, red=0.9),
                        leads_to=HOST,
                        span=3,
                    ),
                    number(
                        "Revenue today",
                        Query("shoplake_shop_revenue_today", "USD"),
                        unit="currencyUSD",
                        about="Of the demo shop, asked of its database: orders of this UTC day that are not cancelled.",
                        leads_to=BUSINESS,
                        span=3,
                        course=True,
                    ),
                ],
            ),
        ],
        since="now-24h",
    )
