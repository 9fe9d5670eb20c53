"""Who hears of an alert: Alertmanager's configuration, with the receivers that the settings name.

What stands in ``infra/alertmanager/alertmanager.yml`` stays; the settings add to the receiver of its route.
https://prometheus.io/docs/alerting/latest/configuration/
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr

from lake import secret_file
from lake.errors import ServiceError
from lake.runtime.schedule import longest_gap
from lake.runtime.state import remember
from lake.settings import PROJECT, settings

BASE = PROJECT / "infra" / "alertmanager" / "alertmanager.yml"
SETTINGS = ("alert_email_to", "alert_email_from", "alert_smtp", "alert_smtp_user", "alert_smtp_tls")
SECRETS = ("alert_webhook_url", "alert_smtp_password")
REPLY_SECONDS = 10
SILENT = "WatchSilent"
"""The alert that fires when the watch looks no more."""
LOOK = timedelta(minutes=30)
"""What a look may be late, on a busy machine."""


def configuration() -> str:
    """The file that Alertmanager reads. It may hold secrets.

    Raises:
        ServiceError: mail is to be sent, and no mail server is named.
    """
    document: dict[str, Any] = yaml.safe_load(BASE.read_text())
    (switch,) = [each for each in document["route"]["routes"] if f'alertname="{SILENT}"' in each["matchers"]]
    switch["group_wait"] = f"{int(silence().total_seconds())}s"
    wanted = document["route"]["receiver"]
    (receiver,) = [each for each in document["receivers"] if each["name"] == wanted]
    for kind, entries in (("webhook_configs", _webhooks()), ("email_configs", _mails())):
        if entries:
            receiver[kind] = [*receiver.get(kind, []), *entries]
    return f"# written by `lake up`, from {BASE.name} and the settings LAKE_ALERT_*\n" + yaml.safe_dump(document)


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


def _webhooks() -> list[dict[str, Any]]:
    url = _plain(settings().alert_webhook_url)
    return [{"url": url, "send_resolved": True, "timeout": f"{REPLY_SECONDS}s"}] if url else []


def _mails() -> list[dict[str, Any]]:
    config = settings()
    addresses = [each.strip() for each in config.alert_email_to.split(",") if each.strip()]
    if not addresses:
        return []
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
    }
    if config.alert_smtp_user:
        mail |= {"auth_username": config.alert_smtp_user, "auth_password": _plain(config.alert_smtp_password)}
    return [mail]


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
