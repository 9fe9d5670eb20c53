"""Alerts go through a real Alertmanager to receivers that stand on this machine."""

from __future__ import annotations

import base64
import re
import stat
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from email import message_from_bytes, policy
from queue import Queue
from typing import Any

import pytest

from lake.alerts import alertmanager, chart, failures
from lake.alerts.alert import Alert
from lake.alerts.check import post
from lake.alerts.failures import Failure
from lake.alerts.finding import Course, Finding, Point
from lake.alerts.rules import MetricRule
from lake.commands.services import alerts
from lake.platform import storage
from lake.runtime import orchestration
from lake.settings import settings
from tests.integration.alerts.conftest import free_port

ALERT = Alert(
    "TableStale", "warning", "orders is as of 9 h ago", {"source": "shop", "table": "orders"}, "look at `lake status`"
)
PATIENCE_SECONDS = 60


def test_a_webhook_hears_when_an_alert_fires_and_when_it_ends(
    webhook: tuple[str, Queue[Any]], start_alertmanager: Callable[..., None]
) -> None:
    url, sent = webhook
    start_alertmanager(alert_webhook_url=url)
    alertmanager.tell([ALERT])
    told = sent.get(timeout=PATIENCE_SECONDS)
    assert (told["status"], told["receiver"]) == ("firing", "data")
    [alert] = told["alerts"]
    assert alert["labels"] == ALERT.identity
    assert alert["annotations"] == {
        "summary": "orders is as of 9 h ago",
        "way_out": "look at `lake status`",
        "runbook": "docs/runbooks/LakeTableStale.md",
    }

    alertmanager.tell([], lambda labels: labels["alertname"] == "TableStale")
    over = sent.get(timeout=PATIENCE_SECONDS)
    assert over["status"] == "resolved"
    assert over["alerts"][0]["annotations"] == alert["annotations"]


def test_a_mail_holds_what_is_wrong_and_what_to_do(
    mail: tuple[str, Queue[Any]], start_alertmanager: Callable[..., None]
) -> None:
    server, taken = mail
    start_alertmanager(alert_email_to="data@example.com, ops@example.com", alert_smtp=server, alert_smtp_tls="false")
    alertmanager.tell([ALERT])
    envelope = taken.get(timeout=PATIENCE_SECONDS)
    assert envelope.rcpt_tos == ["data@example.com", "ops@example.com"]
    assert envelope.mail_from == "data@example.com"
    assert _read(envelope) == (
        "[warning] TableStale: orders is as of 9 h ago",
        "orders is as of 9 h ago\n"
        "since: …, warning, for data\n"
        "way out: look at `lake status`\n"
        "runbook: docs/runbooks/LakeTableStale.md\n"
        f"page: {settings().airflow_url}\n",
    )

    alertmanager.tell([], lambda labels: labels["alertname"] == "TableStale")
    assert _read(taken.get(timeout=PATIENCE_SECONDS)) == (
        "[over] TableStale: orders is as of 9 h ago",
        "over since …: orders is as of 9 h ago\n",
    )


def test_a_mail_shows_the_chart_of_a_rule_and_a_webhook_says_where_it_is_kept(
    mail: tuple[str, Queue[Any]],
    webhook: tuple[str, Queue[Any]],
    start_alertmanager: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: dict[str, bytes] = {}
    monkeypatch.setattr(storage, "put", lambda uri, data, content_type: kept.update({uri: data}))
    rule = MetricRule.model_validate(
        {"name": "falls", "description": "x", "severity": "critical", "metric": "revenue", "threshold": {"min": 9}}
    )
    points = [Point(date(2026, 11, day), Decimal(10 if day < 24 else 4), Decimal(9), None) for day in range(1, 25)]
    course = Course('Revenue of "Meat & <Fish>"', "money", tuple(points), 1, is_band=False)
    fires = Finding(
        rule, "firing", "Revenue was 4.00", segment="Meat & <Fish>", why="mostly <b>beef</b>", course=course
    )
    unknown = Finding(rule, "no_data", "there was nothing to divide by", segment="Fowl")
    server, taken = mail
    url, sent = webhook
    start_alertmanager(
        alert_email_to="page=a@example.com", alert_smtp=server, alert_smtp_tls="false", alert_webhook_url=f"page={url}"
    )
    post([fires, unknown], {"run_id": "r1"}, {each.subject: chart.attached(each, "r1") for each in (fires, unknown)})

    texts = dict(_bodies(taken.get(timeout=PATIENCE_SECONDS)) for _ in range(2))
    text, page = texts["[critical] falls: Revenue was 4.00"]
    [(place, picture)] = kept.items()
    said = "2026-11-01 to 2026-11-24: between 10.00 and 10.00 before, 4.00 on 2026-11-24, where it should have been"
    assert f"chart: {place}\n" in text
    assert f'it shows: Revenue of "Meat & <Fish>", {said} at least 9.00.\n' in text
    [(words, encoded)] = re.findall(r'<img [^>]*alt="([^"]*)" src="data:image/png;base64,([^"]*)">', page)
    assert base64.b64decode(encoded) == picture
    assert said in words
    assert "<Fish>" not in page
    assert "<b>" not in page
    assert place in page
    text, page = texts["[critical] NoData: there was nothing to divide by"]
    assert "no chart: there is no data to draw\n" in text
    assert "No chart: there is no data to draw." in page
    assert "<img" not in page

    told = [alert for _ in range(2) for alert in sent.get(timeout=PATIENCE_SECONDS)["alerts"]]
    assert {each["annotations"].get("chart", "") for each in told} == {place, ""}


def _bodies(envelope: Any) -> tuple[str, tuple[str, str]]:
    """Subject of a mail, and its text and its page."""
    message = message_from_bytes(envelope.content, policy=policy.default)
    bodies = [message.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("plain", "html")]
    return message["Subject"], (bodies[0], bodies[1])


def _read(envelope: Any) -> tuple[str, str]:
    """Subject and text of a mail, without the instants."""
    message = message_from_bytes(envelope.content, policy=policy.default)
    text = message.get_body(("plain",)).get_content().replace("\r\n", "\n")
    return message["Subject"], re.sub(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", "…", text).strip() + "\n"


def test_status_says_who_hears(webhook: tuple[str, Queue[Any]], start_alertmanager: Callable[..., None]) -> None:
    start_alertmanager(alert_webhook_url=webhook[0], alert_email_to="data@example.com", alert_smtp="127.0.0.1:9")
    assert alerts() == ["Alerts go to email to data@example.com, webhook; none up"]
    file = orchestration.services()[-1].folder / "alertmanager.yml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_status_says_that_nobody_hears_until_a_receiver_is_set(start_alertmanager: Callable[..., None]) -> None:
    start_alertmanager()
    alertmanager.tell([ALERT])
    [first, second] = alerts()
    assert first.startswith("Alerts: nobody will hear of one: there is no receiver -> set LAKE_ALERT_EMAIL_TO")
    assert first.endswith("1 up:")
    assert second == "  TableStale: orders is as of 9 h ago"


def test_status_says_that_nobody_hears_while_alertmanager_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_ALERTMANAGER_PORT", str(free_port()))
    settings.cache_clear()
    try:
        [line] = alerts()
        assert line.startswith("Alerts: nobody hears of one: Alertmanager at http://127.0.0.1:")
    finally:
        monkeypatch.undo()
        settings.cache_clear()


def test_whatever_a_failure_holds_alertmanager_takes_it(start_alertmanager: Callable[..., None]) -> None:
    start_alertmanager()
    failures.task_failed(
        Failure("shop_lake", "my run, №1/2 ?#", 'values \x00 "\U0001f600" \\ <b>%s</b>', "clean [a, …]")
    )
    assert failures.told_of("shop_lake", "my run, №1/2 ?#")
    failures.run_succeeded("shop_lake")
    assert alertmanager.up() == []
