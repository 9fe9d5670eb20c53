"""Telling Alertmanager, through its API v2, which alerts fire and which have ended."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import yaml

from lake.alerts import kinds
from lake.alerts.alert import Alert, Severity
from lake.errors import ServiceError
from lake.runtime.receivers import HEARTBEAT
from lake.settings import settings

REPLY_SECONDS = 10

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Up:
    """An alert that is up.

    Attributes:
        is_implied: whether nobody is told of it, because another that is up says as much.
    """

    labels: dict[str, str]
    annotations: dict[str, str]
    page: str = ""
    is_implied: bool = False

    @property
    def again(self) -> Alert:
        """The same alert, to be told once more."""
        rest, said = dict(self.labels), dict(self.annotations)
        name = rest.pop("alertname")
        # What its kind says by itself.
        said.pop("runbook", None)
        if rest.get("team") == kinds.of(name).team:
            del rest["team"]
        return Alert(
            name=name,
            severity=cast(Severity, rest.pop("severity")),
            summary=said.pop("summary", ""),
            labels=rest,
            way_out=said.pop("way_out", ""),
            annotations=said,
            page=self.page,
        )


def tell(
    alerts: Iterable[Alert], settled: Callable[[Labels], bool] = lambda labels: False, now: datetime | None = None
) -> list[dict[str, Any]]:
    """Raise alerts and end others; return what was posted. To tell the same again changes nothing.

    Args:
        settled: says by its labels of an alert that is up whether it ends, if it is not among those raised.
        now: of the alert, not of the data.

    Raises:
        ServiceError: Alertmanager is away, or refused the alerts.
    """
    now = now or datetime.now(UTC)
    raised = [_raised(alert, now) for alert in alerts]
    identities = [alert["labels"] for alert in raised]
    ended = [
        # With its texts, which the message that it is over repeats.
        {"labels": each.labels, "annotations": each.annotations, "endsAt": _text(now)}
        for each in up()
        if each.labels not in identities and settled(each.labels)
    ]
    if raised or ended:
        _call("POST", "alerts", json=raised + ended)
    return raised + ended


def up() -> list[Up]:
    """The alerts that are up."""
    found = _call("GET", "alerts").json()
    return [
        Up(
            alert["labels"],
            alert.get("annotations", {}),
            alert.get("generatorURL", ""),
            bool(alert.get("status", {}).get("inhibitedBy")),
        )
        for alert in found
    ]


def hearers() -> list[str]:
    """Who hears of alerts, of the running Alertmanager: ``email to a@b.example``, ``webhook``; nobody if it is empty.

    Who hears by some receivers alone is told with their names: ``slack (database)``.

    Raises:
        ServiceError: Alertmanager is away.
    """
    configuration = yaml.safe_load(_call("GET", "status").json()["config"]["original"])
    heard: dict[str, list[str]] = {}
    people = [receiver for receiver in configuration["receivers"] if receiver["name"] != HEARTBEAT]
    for receiver in people:
        for kind, entries in receiver.items():
            for entry in entries if kind.endswith("_configs") else ():
                addresses = entry["to"].split(", ") if kind == "email_configs" else [""]
                for address in addresses:
                    way = kind.removesuffix("_configs") + (f" to {address}" if address else "")
                    heard.setdefault(way, []).append(receiver["name"])
    return [
        way if set(names) == {each["name"] for each in people} else f"{way} ({', '.join(dict.fromkeys(names))})"
        for way, names in heard.items()
    ]


def _raised(alert: Alert, now: datetime) -> dict[str, Any]:
    return {
        "labels": alert.identity,
        "annotations": alert.told,
        "generatorURL": alert.page or settings().airflow_url,
        "startsAt": _text(now),
        "endsAt": _text(now + alert.stays),
    }


def _text(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds")


@functools.cache
def _tls() -> ssl.SSLContext:
    """Made once: to read the certificates of the world anew takes the processor ten times as long as a question."""
    return httpx.create_ssl_context()


def _call(method: str, what: str, **request: Any) -> httpx.Response:
    url = f"{settings().alertmanager_url}/api/v2/{what}"
    try:
        response = httpx.request(method, url, timeout=REPLY_SECONDS, verify=_tls(), **request)
    except httpx.TransportError as error:
        raise ServiceError(
            f"Alertmanager at {url} does not answer: {error}", "look at `lake status` and `lake logs alertmanager`"
        ) from error
    if response.is_error:
        raise ServiceError(
            f"Alertmanager refused {method} {url}: {response.status_code} {response.text[:500]}",
            "look at the labels of the alerts",
        )
    return response
