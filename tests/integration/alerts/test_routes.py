"""Who gets what, and what is left unsaid: the shipped routes in a real Alertmanager, and a receiver for each team."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from queue import Empty, Queue
from typing import Any

import httpx
import pytest

from lake.alerts import alertmanager
from lake.alerts.alert import Alert
from lake.commands.services import alerts
from lake.settings import settings
from tests.hooks import Hook

PEOPLE = ("page", "database", "data", "platform")
PATIENCE_SECONDS = 60
QUIET_SECONDS = 3
"""Three times as long as a group waits."""


@pytest.fixture
def sent(hooks: Hook, start_alertmanager: Callable[..., None]) -> Hook:
    """A receiver for each team, at an address of its own, and one for the dead man's switch."""
    start_alertmanager(
        alert_webhook_url=" ".join(f"{name}={hooks.url}/{name}" for name in PEOPLE),
        alert_slack_url=f"platform={hooks.url}/slack",
        alert_heartbeat_url=f"{hooks.url}/heartbeat",
    )
    return hooks


def post(*alerts_: dict[str, str], over: bool = False) -> None:
    """Tell alerts as Prometheus does: labels alone are given, the texts say them again."""
    now = datetime.now(UTC)
    body = [
        {
            "labels": labels,
            "annotations": {"summary": f"{labels['alertname']} <{labels.get('table', '')}>", "way_out": "mend it"},
            "generatorURL": "http://prometheus/graph",
            **({"endsAt": now.isoformat()} if over else {"endsAt": (now + timedelta(hours=1)).isoformat()}),
        }
        for labels in alerts_
    ]
    httpx.post(f"{settings().alertmanager_url}/api/v2/alerts", json=body, timeout=10).raise_for_status()


def of(alertname: str, severity: str, team: str, **labels: str) -> dict[str, str]:
    """The labels of an alert."""
    return {"alertname": alertname, "severity": severity, "team": team, **labels}


def heard(queue: Queue[Any], seconds: float = PATIENCE_SECONDS) -> tuple[str, list[str]]:
    """State and names of the next message."""
    message = queue.get(timeout=seconds)
    return message["status"], sorted({alert["labels"]["alertname"] for alert in message["alerts"]})


def all_heard(sent: Hook) -> dict[str, list[tuple[str, list[str]]]]:
    """What everybody has heard by the time nobody hears anything more, in the order of names."""
    found: dict[str, list[tuple[str, list[str]]]] = {}
    is_quiet = False
    while not is_quiet:
        time.sleep(QUIET_SECONDS)
        is_quiet = True
        for name in PEOPLE:
            while not sent.sent(f"/{name}").empty():
                is_quiet = False
                found.setdefault(name, []).append(heard(sent.sent(f"/{name}")))
    return {name: sorted(messages) for name, messages in found.items()}


def assert_quiet(sent: Hook, *receivers: str) -> None:
    """Nobody of these hears anything more."""
    with pytest.raises(Empty):
        heard(sent.sent(f"/{receivers[0]}"), QUIET_SECONDS)
    for name in receivers[1:]:
        assert sent.sent(f"/{name}").empty(), name


def test_each_is_told_once_to_whom_it_concerns_and_once_when_it_is_over(sent: Hook) -> None:
    told = [
        of("ReplicaLagging", "warning", "database", source="shop"),
        of("QuarantineSpike", "warning", "data", source="shop", table="orders"),
        of("DiskFilling", "warning", "platform", mountpoint="/"),
        of("ChecksFailing", "critical", "data"),
        of("DatabaseDown", "critical", "database", instance="mysql-replica"),
        of("ServiceDown", "critical", "platform", service="trino"),
        of("revenue", "warning", "sales", rule="revenue"),
    ]
    concerned = {
        "page": ["ChecksFailing", "DatabaseDown", "ServiceDown", "revenue"],
        "database": ["ReplicaLagging"],
        "data": ["QuarantineSpike"],
        "platform": ["DiskFilling"],
    }
    post(*told)
    assert all_heard(sent) == {who: [("firing", [name]) for name in names] for who, names in concerned.items()}
    post(*told, over=True)
    assert all_heard(sent) == {who: [("resolved", [name]) for name in names] for who, names in concerned.items()}


def test_the_platforms_own_alerts_take_the_same_routes(sent: Hook) -> None:
    alertmanager.tell(
        [
            Alert("TableHeldBack", "warning", "orders is held back", {"source": "crm", "table": "orders"}),
            Alert("ServiceAway", "critical", "nessie is away", {"service": "nessie"}),
            Alert("TableDrifted", "warning", "3 rows", {"source": "crm", "table": "a", "team": "database"}),
        ]
    )
    assert heard(sent.sent("/data")) == ("firing", ["TableHeldBack"])
    assert heard(sent.sent("/page")) == ("firing", ["ServiceAway"])
    assert heard(sent.sent("/database")) == ("firing", ["TableDrifted"])
    assert_quiet(sent, *PEOPLE)


IMPLIED = [
    (
        of("HostDown", "critical", "platform", host="a"),
        of("ServiceDown", "critical", "platform", host="a", service="trino"),
    ),
    (
        of("ServiceDown", "critical", "platform", service="nessie"),
        of("ServiceAway", "critical", "platform", service="nessie"),
    ),
    (
        of("SourceDown", "critical", "data", source="a"),
        of("LakeTableStale", "warning", "data", source="a", table="t"),
    ),
    (
        of("SourceHeldBack", "critical", "data", source="b"),
        of("TableHeldBack", "warning", "data", source="b", table="t"),
    ),
    (of("LakeStale", "critical", "data", source="c"), of("SourceStale", "critical", "data", source="c")),
    (
        of("TableHeld", "warning", "data", source="d", table="t"),
        of("TableStale", "warning", "data", source="d", table="t"),
    ),
    (
        of("ReplicaStopped", "critical", "database", source="e"),
        of("ReplicaLagging", "warning", "database", source="e"),
    ),
    (
        of("ReplicaDiverged", "critical", "database", source="f", table="t", against="primary"),
        of("TableDrifted", "critical", "database", source="f", table="t", against="primary"),
    ),
    (
        of("DagFailed", "critical", "data", dag_id="shop_lake"),
        of("TaskFailing", "warning", "data", dag_id="shop_lake", task_id="clean"),
    ),
    (
        of("DiskFull", "critical", "platform", instance="node", mountpoint="/"),
        of("DiskFilling", "warning", "platform", instance="node", mountpoint="/"),
    ),
]
"""An alert, and another that says nothing new beside it."""


def test_what_follows_from_another_is_not_told(sent: Hook) -> None:
    post(*(cause for cause, _ in IMPLIED))
    messages = [message for who in all_heard(sent).values() for message in who]
    assert {name for _, names in messages for name in names} == {cause["alertname"] for cause, _ in IMPLIED}

    post(*(implied for _, implied in IMPLIED))
    assert all_heard(sent) == {}

    # It is the cause that keeps each quiet: the same of another thing is heard.
    things = {"host", "service", "source", "dag_id", "mountpoint"}
    post(*({key: f"not {value}" if key in things else value for key, value in each.items()} for _, each in IMPLIED))
    messages = [message for who in all_heard(sent).values() for message in who]
    assert {name for _, names in messages for name in names} == {implied["alertname"] for _, implied in IMPLIED}


def test_what_was_silenced_is_told_when_its_cause_has_ended(sent: Hook) -> None:
    cause = of("SourceDown", "critical", "data", source="crm")
    implied = of("LakeTableStale", "warning", "data", source="crm", table="a")
    post(cause)
    assert heard(sent.sent("/page")) == ("firing", ["SourceDown"])
    post(implied)
    assert_quiet(sent, "data")
    assert [line.split(":")[0].strip() for line in alerts()[1:]] == ["SourceDown"]
    post(cause, over=True)
    assert heard(sent.sent("/page")) == ("resolved", ["SourceDown"])
    assert heard(sent.sent("/data")) == ("firing", ["LakeTableStale"])


def test_the_tables_of_a_source_come_as_one_message(sent: Hook) -> None:
    post(*(of("LakeTableStale", "warning", "data", source="crm", table=f"t{each}") for each in range(500)))
    # The first goes out at once here, where a group waits for nothing.
    sizes = [len(sent.sent("/data").get(timeout=PATIENCE_SECONDS)["alerts"])]
    if sizes != [500]:
        sizes.append(len(sent.sent("/data").get(timeout=PATIENCE_SECONDS)["alerts"]))
    assert sizes[-1] == 500
    assert_quiet(sent, *PEOPLE)


def test_slack_is_told_in_its_own_form(sent: Hook) -> None:
    labels = of("DiskFilling", "warning", "platform", mountpoint="/data", table="a & b")
    post(labels)
    [told] = sent.sent("/slack").get(timeout=PATIENCE_SECONDS)["attachments"]
    assert told["title"] == "[warning] DiskFilling"
    # What is marked up by signs in Slack arrives as the signs.
    assert told["text"] == "*DiskFilling &lt;a &amp; b&gt;*\nway out: mend it\npage: http://prometheus/graph\n\n"
    assert (told["color"], told["fallback"]) == ("danger", "[warning] DiskFilling: DiskFilling <a & b>")

    post(labels, over=True)
    [over] = sent.sent("/slack").get(timeout=PATIENCE_SECONDS)["attachments"]
    assert (over["title"], over["color"]) == ("[over] DiskFilling", "good")
    assert over["text"] == "over: DiskFilling &lt;a &amp; b&gt;\n"


def test_the_dead_mans_switch_goes_to_who_misses_it_and_to_nobody_else(sent: Hook) -> None:
    post(of("Watchdog", "info", "platform"))
    assert heard(sent.sent("/heartbeat")) == ("firing", ["Watchdog"])
    assert_quiet(sent, *PEOPLE)
    assert alerts()[0].endswith("none up")


def test_who_hears_what_is_shown(sent: Hook) -> None:
    assert alerts() == ["Alerts go to webhook, slack (platform); none up"]
