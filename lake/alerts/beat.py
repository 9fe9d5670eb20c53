"""A dead man's switch: an alert that is heard of when nobody ends it in time.

The watch raises one with every look and ends the one before. Alertmanager is told, in its configuration, to notify this
kind late (`receivers.silence`), and of what has ended by then it notifies nobody. So who hears of it knows that the
watch has not looked since: Airflow's scheduler or its database is dead, or the DAG is paused. Only Alertmanager has to
live.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from lake.alerts.alert import Alert
from lake.alerts.alertmanager import Labels, Up
from lake.runtime.receivers import SILENT, silence

ALWAYS = "Watchdog"
"""The dead man's switch of Prometheus, which fires for as long as all is well (``infra/prometheus/rules``)."""
MONTH = timedelta(days=30)


def beat(now: datetime) -> Alert:
    """The alert of one look."""
    return Alert(
        SILENT,
        "critical",
        f"the watch has not looked since {now:%Y-%m-%d %H:%M} UTC: whatever went wrong since then, nobody was told",
        {"beat": now.isoformat(timespec="seconds")},
        "look at `lake status` and `lake logs airflow-scheduler`; is the DAG `watch` paused?",
        stays=MONTH,
    )


def is_former(labels: Labels) -> bool:
    """Whether an alert is the one of an earlier look."""
    return labels["alertname"] == SILENT


def heard(alerts: Iterable[Up], now: datetime | None = None) -> list[Up]:
    """Without what nobody is told of: switches that have not gone off, and what another alert says as well."""
    now = now or datetime.now(UTC)
    return [
        each
        for each in alerts
        if not each.is_implied
        and each.labels["alertname"] != ALWAYS
        and (not is_former(each.labels) or now - _set_at(each) > silence())
    ]


def _set_at(alert: Up) -> datetime:
    return datetime.fromisoformat(alert.labels["beat"])
