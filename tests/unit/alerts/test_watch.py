"""What the watch tells, and what it leaves alone because it knows nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from lake.alerts import alertmanager, reach
from lake.alerts.alert import Alert
from lake.alerts.alertmanager import Up
from lake.alerts.look import Look
from lake.alerts.watch import watch
from lake.errors import ServiceError

NOW = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)
AWAY = Alert("Away", "critical", "nessie is away", {"service": "nessie"}, "start it")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """What was told: each alert's name, and whether it is raised or ended."""
    found: list[tuple[str, bool]] = []
    monkeypatch.setattr(alertmanager, "up", lambda: [Up(labels, {}) for labels in BEFORE])

    def call(method: str, what: str, json: list[dict]) -> None:
        found.extend(
            (f"{a['labels']['alertname']} {a['labels'].get('look', '')}".strip(), "startsAt" in a) for a in json
        )

    monkeypatch.setattr(alertmanager, "_call", call)
    return found


BEFORE = [
    {"alertname": "Away", "severity": "critical", "service": "spark"},
    {"alertname": "Stale", "severity": "critical", "source": "shop"},
    {"alertname": "NotWatched", "severity": "critical", "look": "services"},
    {"alertname": "revenue_of_yesterday", "severity": "critical", "rule": "revenue_of_yesterday"},
]


def _look(name: str, *alerts: Alert) -> Callable[[datetime], Look]:
    return lambda now: Look(alerts, lambda labels: labels["alertname"] == name)


def _fails(now: datetime) -> Look:
    raise ServiceError("the object store is away", "look at it")


def test_what_is_there_is_raised_and_what_is_over_is_ended(told: list[tuple[str, bool]]) -> None:
    assert watch({"services": _look("Away", AWAY), "freshness": _look("Stale")}, NOW) == ["Away: nessie is away"]
    assert told == [("Away", True), ("Away", False), ("Stale", False), ("NotWatched services", False)]


def test_what_cannot_be_looked_at_is_told_and_its_alerts_stay(told: list[tuple[str, bool]]) -> None:
    said = watch({"services": _look("Away", AWAY), "freshness": _fails}, NOW)
    assert said == ["NotWatched: freshness: nothing is known: the object store is away", "Away: nessie is away"]
    assert told == [
        ("NotWatched freshness", True),
        ("Away", True),
        ("Away", False),
        ("NotWatched services", False),
    ]


def test_a_mistake_of_ours_in_one_look_keeps_no_other_from_being_made(told: list[tuple[str, bool]]) -> None:
    def wrong(now: datetime) -> Look:
        raise KeyError("table")

    assert watch({"freshness": wrong, "services": _look("Away", AWAY)}, NOW)[0] == (
        "NotWatched: freshness: nothing is known: KeyError: 'table'"
    )


def test_a_service_is_away_when_it_never_answers() -> None:
    asked: dict[str, int] = {"trino": 0, "minio": 0, "nessie": 0}

    def ask(name: str, fails: int) -> Callable[[], None]:
        def one() -> None:
            asked[name] += 1
            if asked[name] <= fails:
                raise ServiceError(f"{name} does not answer", "look at it") if name == "trino" else OSError("gone")

        return one

    questions = {"trino": ask("trino", 9), "minio": ask("minio", 2), "nessie": ask("nessie", 9)}
    alerts = reach.away(questions, pause_seconds=0)
    assert [(alert.labels["service"], alert.summary, alert.way_out) for alert in alerts] == [
        ("trino", "trino does not answer", "look at it"),
        ("nessie", "nessie: OSError: gone", "look at `lake status` and `lake logs nessie`"),
    ]
    assert asked == {"trino": 3, "minio": 3, "nessie": 3}
