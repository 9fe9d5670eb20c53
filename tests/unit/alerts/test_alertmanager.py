"""What Alertmanager is told."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from lake.alerts import alertmanager
from lake.alerts.check import post
from lake.alerts.finding import Finding
from lake.alerts.rules import QueryRule
from lake.errors import ServiceError

RULE = QueryRule.model_validate(
    {
        "name": "sales",
        "description": "Too few.",
        "severity": "warning",
        "query": "SELECT 1",
        "condition": {"min": 2},
        "labels": {"team": "sales"},
    }
)
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
FIRING = Finding(RULE, "firing", "1 should be at least 2", Decimal(1))
HOLDS = Finding(RULE, "holds", "holds", Decimal(3))
NO_DATA = Finding(RULE, "no_data", "the value is NULL, not a number")


def _labels(name: str, severity: str = "warning") -> dict[str, str]:
    return {"alertname": name, "severity": severity, "rule": "sales", "team": "sales"}


def _post(monkeypatch: pytest.MonkeyPatch, finding: Finding, *up: dict[str, str]) -> list[dict[str, Any]]:
    """What is posted while the alerts ``up`` are up."""
    sent: list[Any] = []

    def answer(method: str, url: str, timeout: float, verify: Any, json: Any = None) -> httpx.Response:
        assert url.endswith("/api/v2/alerts")
        if method == "GET":
            return httpx.Response(200, json=[{"labels": labels} for labels in up])
        sent.extend(json)
        return httpx.Response(200)

    monkeypatch.setattr(httpx, "request", answer)
    charts = {("sales", ""): {"chart": "s3://reports/a.png"}}
    post([finding], {"run_id": "r1"}, charts, NOW)
    return sent


def test_a_firing_alert_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    [alert] = _post(monkeypatch, FIRING)
    assert alert.pop("generatorURL").endswith("/dags/alerting")
    assert alert == {
        "labels": _labels("sales"),
        "annotations": {
            "summary": "1 should be at least 2",
            "runbook": "docs/runbooks/LakeRule.md",
            "description": "Too few.",
            "value": "1",
            "run_id": "r1",
            "chart": "s3://reports/a.png",
        },
        "startsAt": "2026-11-23T10:00:00.000+00:00",
        "endsAt": "2026-11-24T10:00:00.000+00:00",
    }


@pytest.mark.parametrize(
    ("finding", "told"),
    [
        (FIRING, [("sales", "warning", "fires"), ("NoData", "warning", "ends"), ("sales", "critical", "ends")]),
        (HOLDS, [("sales", "warning", "ends"), ("NoData", "warning", "ends"), ("sales", "critical", "ends")]),
        (NO_DATA, [("NoData", "warning", "fires")]),
    ],
)
def test_what_fires_and_what_ends(
    monkeypatch: pytest.MonkeyPatch, finding: Finding, told: list[tuple[str, str, str]]
) -> None:
    other = {"alertname": "NoData", "rule": "other"}
    # the critical one is left from before the rule's severity was changed
    up = [_labels("sales"), _labels("NoData"), _labels("sales", "critical"), other]
    ends = NOW.isoformat(timespec="milliseconds")
    assert [
        (alert["labels"]["alertname"], alert["labels"]["severity"], "ends" if alert["endsAt"] == ends else "fires")
        for alert in _post(monkeypatch, finding, *up)
    ] == told


def test_what_is_not_up_is_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _post(monkeypatch, HOLDS) == []


def test_a_refusal_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpx, "request", lambda *_, **__: httpx.Response(400, text="bad label"))
    with pytest.raises(ServiceError, match=r"Alertmanager refused .* 400 bad label"):
        alertmanager.up()
