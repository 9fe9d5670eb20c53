"""Alertmanager's configuration, and what is remembered of it."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from promql_parser import parse_duration

from lake.errors import LakeError
from lake.runtime import receivers
from lake.settings import Settings, settings

Choose = Callable[..., None]


@pytest.fixture
def choose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Choose]:
    """Sets settings in an empty state folder."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"LAKE_{name.upper()}", raising=False)

    def chosen(**values: str) -> None:
        for name, value in {"home": str(tmp_path), **values}.items():
            monkeypatch.setenv(f"LAKE_{name.upper()}", value)
        settings.cache_clear()

    yield chosen
    monkeypatch.undo()
    settings.cache_clear()


PEOPLE = ["page", "database", "data", "platform"]


def _receivers() -> dict[str, dict[str, Any]]:
    """What each receiver hears by, without its name."""
    document = yaml.safe_load(receivers.configuration())
    return {receiver.pop("name"): receiver for receiver in document["receivers"]}


def _addresses() -> dict[str, list[str]]:
    """Who is told, of each receiver that tells anybody."""
    return {
        name: [entry.get("to") or entry.get("url") or entry["api_url"] for kind in sorted(ways) for entry in ways[kind]]
        for name, ways in _receivers().items()
        if ways
    }


def test_without_a_setting_there_is_nobody(choose: Choose) -> None:
    choose()
    assert _receivers() == {name: {} for name in [*PEOPLE, "heartbeat"]}


def test_an_address_is_everybodys_or_the_one_s_that_stands_before_it(choose: Choose) -> None:
    choose(
        alert_email_to="all@example.com, database=dba@example.com",
        alert_smtp="mail:25",
        alert_slack_url="https://hooks.example.com/A?x=1 page=https://hooks.example.com/B",
        alert_webhook_url="platform=http://ops.example.com/hook",
        alert_heartbeat_url="https://beat.example.com/1",
    )
    assert _addresses() == {
        "page": ["all@example.com", "https://hooks.example.com/A?x=1", "https://hooks.example.com/B"],
        "database": ["all@example.com, dba@example.com", "https://hooks.example.com/A?x=1"],
        "data": ["all@example.com", "https://hooks.example.com/A?x=1"],
        "platform": ["all@example.com", "https://hooks.example.com/A?x=1", "http://ops.example.com/hook"],
        "heartbeat": ["https://beat.example.com/1"],
    }


def test_a_template_that_was_edited_is_a_reason_to_start_anew(
    choose: Choose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose()
    copy = shutil.copytree(receivers.BASE.parent, tmp_path / "infra")
    monkeypatch.setattr(receivers, "BASE", copy / receivers.BASE.name)
    before = receivers.fingerprint()
    (copy / "templates" / "shoplake.tmpl").write_text("")
    assert receivers.fingerprint() != before


def test_mail_with_a_login(choose: Choose) -> None:
    choose(
        alert_email_to="a@example.com,b@example.com",
        alert_email_from="lake@example.com",
        alert_smtp="mail.example.com:587",
        alert_smtp_user="lake",
        alert_smtp_password="p%'{ #",
    )
    assert _receivers()["data"]["email_configs"] == [
        {
            "to": "a@example.com, b@example.com",
            "from": "lake@example.com",
            "smarthost": "mail.example.com:587",
            "require_tls": True,
            "send_resolved": True,
            "headers": {"Subject": '{{ template "shoplake.subject" . }}'},
            "text": '{{ template "shoplake.text" . }}',
            "html": '{{ template "shoplake.html" . }}',
            "auth_username": "lake",
            "auth_password": "p%'{ #",
        }
    ]


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"alert_email_to": "a@example.com"}, "LAKE_ALERT_SMTP=host:port"),
        ({"alert_email_to": "nobody", "alert_smtp": "mail:25"}, "LAKE_ALERT_EMAIL_TO=nobody: .*not 'nobody'"),
        ({"alert_email_to": "a@b.example\nBcc: c@d.example"}, "expected addresses such as"),
        ({"alert_email_to": "a@example.com", "alert_smtp": "mail"}, "LAKE_ALERT_SMTP=mail: .*mail.example.com:587"),
        (
            {"alert_email_to": "databse=a@b.example", "alert_smtp": "mail:25"},
            "'databse', .*\n.*did you mean 'database'",
        ),
        ({"alert_slack_url": "sales=https://hooks.example.com"}, "one of page, database, data, platform"),
        ({"alert_heartbeat_url": "page=https://a.example.com"}, "LAKE_ALERT_HEARTBEAT_URL=.*expected http"),
        ({"alert_webhook_url": "hooks.example.com"}, "LAKE_ALERT_WEBHOOK_URL=hooks.example.com: .*expected http"),
    ],
)
def test_what_cannot_be_meant_is_refused(choose: Choose, chosen: dict[str, str], says: str) -> None:
    choose(**chosen)
    with pytest.raises(LakeError, match=says):
        receivers.configuration()


def test_receivers_are_remembered_until_they_are_emptied(choose: Choose, tmp_path: Path) -> None:
    remembered = {"alert_email_to": "a@example.com", "alert_smtp": "mail:25", "alert_smtp_tls": "false"}
    url = "https://hooks.example.com/T0/B1?x='y'"
    choose(**remembered, alert_webhook_url=url)
    before = receivers.configuration()
    receivers.keep()
    assert "hooks" not in (tmp_path / "settings.env").read_text()
    assert stat.S_IMODE((tmp_path / "secrets.env").stat().st_mode) == 0o600

    _another_shell(choose)
    assert receivers.configuration() == before

    choose(alert_webhook_url="", alert_email_to="")
    receivers.keep()
    _another_shell(choose)
    assert _addresses() == {}


def _another_shell(choose: Choose) -> None:
    """One that has set nothing."""
    import os

    for name in [*receivers.SETTINGS, *receivers.SECRETS]:
        os.environ.pop(f"LAKE_{name.upper()}", None)
    choose()


def test_the_dead_mans_switch_beats_sooner_than_it_is_missed() -> None:
    routes = yaml.safe_load(receivers.BASE.read_text())["route"]["routes"]
    (route,) = [each for each in routes if each.get("receiver") == receivers.HEARTBEAT]
    # It is looked at once an interval whether it is time, and may then be a moment too early.
    longest = parse_duration(route["repeat_interval"]) + parse_duration(route["group_interval"])
    assert longest < timedelta(minutes=5)
