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
    nothing is known about it. Only alerts that are up are ended. Posting the same again changes nothing.

    Args:
        findings: one a rule.
        evidence: added to each alert's annotations: which receipt and commit it was found in.
        now: of the alert, not of the data.

    Raises:
        ServiceError: Alertmanager is away, or refused the alerts.
    """
    now = now or datetime.now(UTC)
    raised = [_raised(finding, evidence, now) for finding in findings if finding.state != "holds"]
    names = {finding.rule.name: finding.state for finding in findings}
    ended = [
        {"labels": labels, "endsAt": _text(now)}
        for labels in _up()
        if labels.get("rule") in names
        and labels not in [alert["labels"] for alert in raised]
        and not (names[labels["rule"]] == "no_data" and labels["alertname"] != NO_DATA)
    ]
    _call("POST", json=raised + ended)
    return raised + ended


def _raised(finding: Finding, evidence: dict[str, str], now: datetime) -> dict[str, Any]:
    """One alert. Its labels are its identity, so they hold nothing that changes from run to run."""
    rule = finding.rule
    name = NO_DATA if finding.state == "no_data" else rule.name
    figures = {key: f"{value:,}" for key in ("value", "reference") if (value := getattr(finding, key)) is not None}
    return {
        "labels": {**rule.labels, "alertname": name, "severity": rule.severity, "rule": rule.name},
        "annotations": {"summary": finding.summary, "description": rule.description, **figures, **evidence},
        "generatorURL": f"{settings().airflow_url}/dags/alerting",
        "startsAt": _text(now),
        "endsAt": _text(now + STAYS),
    }


def _up() -> list[dict[str, str]]:
    """Labels of the alerts that are up."""
    return [alert["labels"] for alert in _call("GET").json()]


def _text(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds")


def _call(method: str, **request: Any) -> httpx.Response:
    url = f"{settings().alertmanager_url}/api/v2/alerts"
    try:
        response = httpx.request(method, url, timeout=10, **request)
    except httpx.TransportError as error:
        raise ServiceError(
            f"Alertmanager at {url} does not answer: {error}", "look at `lake status` and `lake logs alertmanager`"
        ) from error
    if response.is_error:
        raise ServiceError(
            f"Alertmanager refused {method} {url}: {response.status_code} {response.text[:500]}",
            "look at the labels of the rules",
        )
    return response
