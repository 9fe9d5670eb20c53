"""Who hears of an alert: Alertmanager's configuration, with the receivers that the settings name.

What stands in ``infra/alertmanager/alertmanager.yml`` stays. An address in the settings is added to each of its
receivers, or to the one that stands before it: ``database=dba@example.com``.
https://prometheus.io/docs/alerting/latest/configuration/
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr

from lake import secret_file
from lake.errors import LakeError, ServiceError
from lake.runtime.schedule import longest_gap
from lake.runtime.state import remember
from lake.settings import PROJECT, settings

BASE = PROJECT / "infra" / "alertmanager" / "alertmanager.yml"
SETTINGS = ("alert_email_to", "alert_email_from", "alert_smtp", "alert_smtp_user", "alert_smtp_tls")
SECRETS = ("alert_webhook_url", "alert_slack_url", "alert_heartbeat_url", "alert_smtp_password")
REPLY_SECONDS = 10
HEARTBEAT = "heartbeat"
"""The receiver of Prometheus' dead man's switch. It is no person."""
SILENT = "WatchSilent"
"""The alert that fires when the watch looks no more."""
LOOK = timedelta(minutes=30)
"""What a look may be late, on a busy machine."""


def configuration() -> str:
    """The file that Alertmanager reads. It may hold secrets.

    Raises:
        LakeError: an address is for a receiver that is not there.
        ServiceError: mail is to be sent, and no mail server is named.
    """
    document: dict[str, Any] = yaml.safe_load(BASE.read_text())
    document["templates"] = [str(BASE.parent / pattern) for pattern in document["templates"]]
    (switch,) = [each for each in document["route"]["routes"] if f'alertname="{SILENT}"' in each["matchers"]]
    switch["group_wait"] = f"{int(silence().total_seconds())}s"
    receivers = {receiver["name"]: receiver for receiver in document["receivers"]}
    people = [name for name in receivers if name != HEARTBEAT]
    for kind, make, setting, entries in _ADDRESSES:
        for name, addresses in _dealt(setting, entries(), people).items():
            receivers[name][kind] = [*receivers[name].get(kind, []), *make(addresses)]
    if url := _plain(settings().alert_heartbeat_url):
        receivers[HEARTBEAT]["webhook_configs"] = [{"url": url, "send_resolved": False, "timeout": f"{REPLY_SECONDS}s"}]
    return f"# written by `lake up`, from {BASE.name} and the settings LAKE_ALERT_*\n" + yaml.safe_dump(document)


def fingerprint() -> str:
    """What changes when Alertmanager has something new to read: its configuration, or a template."""
    templates = [file.read_bytes() for file in sorted((BASE.parent / "templates").iterdir())]
    return hashlib.sha256(b"\0".join([configuration().encode(), *templates])).hexdigest()


def silence() -> timedelta:
    """How long nothing may be heard of the watch: the longest gap of its schedule, and what a look may take."""
    return longest_gap(settings().watch_schedule or "*/10 * * * *") + LOOK


def write(file: Path) -> None:
    """Give Alertmanager its configuration, readable by its owner alone."""
    staging = file.with_suffix(".new")
    staging.unlink(missing_ok=True)
    with open(os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(configuration())
    staging.replace(file)


def keep() -> None:
    """Remember the receivers, so that the next `lake up` has them from whatever shell; an empty one is forgotten."""
    config = settings()
    secrets = {f"LAKE_{name.upper()}": _plain(getattr(config, name)) or None for name in SECRETS}
    plain = {f"LAKE_{name.upper()}": str(getattr(config, name)) for name in SETTINGS}
    secret_file.update(config.home, secrets)
    for name, value in plain.items():
        remember(name, value)


def _dealt(setting: str, entries: list[str], receivers: list[str]) -> dict[str, list[str]]:
    """What each receiver hears by: its own addresses, and those that are for all."""
    dealt: dict[str, list[str]] = {}
    for entry in entries:
        before, sign, address = entry.partition("=")
        named = bool(sign) and before.isidentifier()
        if named and before not in receivers:
            nearest = get_close_matches(before, receivers, n=1)
            raise LakeError(
                f"LAKE_{setting.upper()} names an address for {before!r}, and there is no such receiver",
                f"did you mean {nearest[0]!r}?" if nearest else f"one of {', '.join(receivers)}",
            )
        for receiver in [before] if named else receivers:
            dealt.setdefault(receiver, []).append(address if named else entry)
    return dealt


def _webhooks(urls: list[str]) -> list[dict[str, Any]]:
    return [{"url": url, "send_resolved": True, "timeout": f"{REPLY_SECONDS}s"} for url in urls]


def _slacks(urls: list[str]) -> list[dict[str, Any]]:
    texts = {"title": _template("slack.title"), "text": _template("slack.text"), "fallback": _template("subject")}
    return [{"api_url": url, "send_resolved": True, **texts} for url in urls]


def _mails(addresses: list[str]) -> list[dict[str, Any]]:
    config = settings()
    if not config.alert_smtp:
        raise ServiceError(
            f"LAKE_ALERT_EMAIL_TO={config.alert_email_to} names no way for the mail to get there",
            "name the mail server in LAKE_ALERT_SMTP=host:port, or unset LAKE_ALERT_EMAIL_TO",
        )
    mail: dict[str, Any] = {
        "to": ", ".join(addresses),
        "from": config.alert_email_from or addresses[0],
        "smarthost": config.alert_smtp,
        "require_tls": config.alert_smtp_tls,
        "send_resolved": True,
        "headers": {"Subject": _template("subject")},
        "text": _template("text"),
        "html": _template("html"),
    }
    if config.alert_smtp_user:
        mail |= {"auth_username": config.alert_smtp_user, "auth_password": _plain(config.alert_smtp_password)}
    return [mail]


def _template(name: str) -> str:
    return f'{{{{ template "shoplake.{name}" . }}}}'


_ADDRESSES: tuple[tuple[str, Callable[[list[str]], list[dict[str, Any]]], str, Callable[[], list[str]]], ...] = (
    ("webhook_configs", _webhooks, "alert_webhook_url", lambda: _plain(settings().alert_webhook_url).split()),
    ("slack_configs", _slacks, "alert_slack_url", lambda: _plain(settings().alert_slack_url).split()),
    ("email_configs", _mails, "alert_email_to", lambda: settings().alert_email_to.replace(",", " ").split()),
)
"""What Alertmanager calls each way of telling, what it wants to know of it, and the setting that holds addresses."""


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
