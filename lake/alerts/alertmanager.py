"""Telling Alertmanager, through its API v2, which alerts fire and which hold again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from lake.alerts.engine import Finding
from lake.errors import ServiceError
from lake.settings import settings

NO_DATA = "NoData"
STAYS = timedelta(hours=24)
"""How long an alert stays up without another evaluation. Alertmanager's own five minutes would close an alert between
two hourly runs; a day also covers runs that failed."""


def post(findings: Sequence[Finding], evidence: dict[str, str], now: datetime | None = None) -> list[dict[str, Any]]:
    """Post what the findings amount to and return it.

    A rule has two alerts: one of its own name, and ``NoData``. A firing rule raises the first and ends the second; one
    that holds ends both; one that cannot be evaluated raises ``NoData`` and leaves its own alert as it was, because
    nothing is known about it. Posting the same again changes nothing.

    Args:
        evidence: added to each alert's annotations: which receipt and commit it was found in.
        now: of the alert, not of the data.

    Raises:
        ServiceError: Alertmanager is away, or refused the alerts.
    """
    url = f"{settings().alertmanager_url}/api/v2/alerts"
    alerts = [alert for finding in findings for alert in _alerts(finding, evidence, now or datetime.now(UTC))]
    try:
        response = httpx.post(url, json=alerts, timeout=10)
    except httpx.TransportError as error:
        raise ServiceError(
            f"Alertmanager at {url} does not answer: {error}", "look at `lake status` and `lake logs alertmanager`"
        ) from error
    if response.is_error:
        raise ServiceError(
            f"Alertmanager refused {len(alerts)} alerts: {response.status_code} {response.text[:500]}",
            "look at the labels of the rules",
        )
    return alerts


def _alerts(finding: Finding, evidence: dict[str, str], now: datetime) -> list[dict[str, Any]]:
    name = finding.rule.name
    match finding.state:
        case "firing":
            return [_alert(name, finding, evidence, now, True), _alert(NO_DATA, finding, evidence, now, False)]
        case "holds":
            return [_alert(name, finding, evidence, now, False), _alert(NO_DATA, finding, evidence, now, False)]
        case "no_data":
            return [_alert(NO_DATA, finding, evidence, now, True)]


def _alert(name: str, finding: Finding, evidence: dict[str, str], now: datetime, is_firing: bool) -> dict[str, Any]:
    """One alert. Its labels are its identity, so they hold nothing that changes from run to run."""
    rule = finding.rule
    figures = {key: f"{value:,}" for key in ("value", "reference") if (value := getattr(finding, key)) is not None}
    times = {"startsAt": now, "endsAt": now + STAYS} if is_firing else {"endsAt": now}
    return {
        "labels": {**rule.labels, "alertname": name, "severity": rule.severity, "rule": rule.name},
        "annotations": {"summary": finding.summary, "description": rule.description, **figures, **evidence},
        "generatorURL": f"{settings().airflow_url}/dags/alerting",
        **{key: instant.isoformat(timespec="milliseconds") for key, instant in times.items()},
    }
