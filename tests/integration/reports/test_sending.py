"""Reports by mail, through a real object store to a real mail server that stands on this machine."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from queue import Queue
from typing import Any

import pytest

from lake.errors import ServiceError
from lake.ledger.receipts import Receipt
from lake.platform import storage
from lake.reports.places import address
from lake.reports.sending import SENT, send_due
from lake.reports.subscriptions import Subscription
from lake.settings import settings
from tests.integration.alerts.conftest import free_port
from tests.integration.alerts.conftest import mail as mail

NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
NEXT = datetime(2026, 11, 26, 8, tzinfo=UTC)


@pytest.fixture
def receipt(servers: None) -> Iterator[Receipt]:
    """A receipt of which the report is there already."""
    found = Receipt(f"sending_{uuid.uuid4().hex[:8]}", "c0ffee", "2026-11-25T04:00:00+00:00", "", "", "", "")
    for kind, data in (("pdf", b"%PDF-"), ("html", b"<html>")):
        storage.put(address("business", found.run_id, kind), data)
    yield found
    storage.delete_prefix(f"{storage.REPORTS}/business/{found.run_id}/")


@pytest.fixture
def readers(servers: None) -> Iterator[list[Subscription]]:
    """Two addresses that nobody else has."""
    mark = uuid.uuid4().hex[:8]
    to = [f"{name}-{mark}@example.com" for name in ("first", "second")]
    before = set(storage.list_keys(SENT))
    yield [Subscription.model_validate({"report": "business", "every": "day", "to": to})]
    storage.delete_all(set(storage.list_keys(SENT)) - before)


@pytest.fixture
def smtp(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Lets a test name the mail server."""
    monkeypatch.setenv("LAKE_ALERT_SMTP_TLS", "false")
    monkeypatch.setenv("LAKE_ALERT_EMAIL_FROM", "lake@example.com")
    yield monkeypatch
    monkeypatch.undo()
    settings.cache_clear()


def use(smtp: pytest.MonkeyPatch, server: str) -> None:
    smtp.setenv("LAKE_ALERT_SMTP", server)
    settings.cache_clear()


def test_each_address_gets_a_period_once_with_the_pages_and_the_receipt(
    smtp: pytest.MonkeyPatch, mail: tuple[str, Queue[Any]], receipt: Receipt, readers: list[Subscription]
) -> None:
    server, taken = mail
    use(smtp, server)
    assert [one.period for one in send_due(readers, receipt, NOW)] == ["2026-11-24"] * 2
    assert send_due(readers, receipt, NOW) == []
    told = {}
    for _ in range(2):
        envelope = taken.get(timeout=10)
        told[envelope.rcpt_tos[0]] = message_from_bytes(envelope.content, policy=policy.default)
    assert taken.empty()
    assert set(told) == {*readers[0].to}

    one = told[readers[0].to[0]]
    assert one["Subject"] == "Shop business report, 2026-11-24"
    assert one["Message-ID"] == f"<business.2026-11-24.{receipt.run_id}@example.com>"
    assert one["List-Unsubscribe"] == "<mailto:lake@example.com?subject=unsubscribe%20business>"
    text = one.get_body(("plain",)).get_content()
    assert "Data as of 2026-11-25 04:00 UTC." in text
    assert f"receipt {receipt.run_id}, lake main@c0ffee" in text
    attached = {part.get_filename(): part.get_content() for part in one.iter_attachments()}
    assert attached == {"business-2026-11-24.pdf": b"%PDF-", "business-2026-11-24.html": "<html>"}

    assert [one.period for one in send_due(readers, receipt, NEXT)] == ["2026-11-25"] * 2


def test_a_server_that_is_away_is_told_and_tried_again(
    smtp: pytest.MonkeyPatch, mail: tuple[str, Queue[Any]], receipt: Receipt, readers: list[Subscription]
) -> None:
    server, taken = mail
    use(smtp, f"127.0.0.1:{free_port()}")
    with pytest.raises(ServiceError, match=r"did not take “Shop business report, 2026-11-24”.*and 1 more"):
        send_due(readers, receipt, NOW)
    use(smtp, server)
    assert len(send_due(readers, receipt, NOW)) == 2
    assert send_due(readers, receipt, NOW) == []
    assert taken.qsize() == 2


def test_without_a_mail_server_it_says_which_setting_names_one(
    smtp: pytest.MonkeyPatch, receipt: Receipt, readers: list[Subscription]
) -> None:
    use(smtp, "")
    with pytest.raises(ServiceError) as caught:
        send_due(readers, receipt, NOW)
    assert "no mail server is named" in caught.value.what
    assert "LAKE_ALERT_SMTP" in caught.value.fix
