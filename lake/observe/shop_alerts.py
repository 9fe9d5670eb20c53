"""Which rules of the shop (``lake/alerts/rules.yml``) are broken now, as Alertmanager knows: Prometheus judges none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lake.alerts import alertmanager
from lake.alerts.alertmanager import Up
from lake.alerts.check import NO_DATA
from lake.observe.metrics import RULE_BROKEN, Sample

NAME = "shop_alerts"
MOST = 200
"""Alerts that are told; a rule has one for each of its few segments."""


def collect() -> list[Sample]:
    """The alerts of rules that are up.

    Raises:
        ServiceError: Alertmanager is away.
    """
    return list(samples(alertmanager.up()))


def samples(up: Iterable[Up]) -> Iterator[Sample]:
    """What the alerts that are up come to; those of other kinds are none of the shop."""
    found = [alert for alert in up if alert.labels.get("rule")]
    found.sort(key=lambda alert: (alert.labels["rule"], alert.labels.get("segment", ""), alert.labels["alertname"]))
    for alert in found[:MOST]:
        labels = alert.labels
        state = "no data" if labels["alertname"] == NO_DATA else "broken"
        of = (labels["rule"], labels.get("segment", ""), labels.get("severity", ""))
        yield RULE_BROKEN(1, *of, state, alert.annotations.get("run_id", ""))
