"""Rules of the shop that are broken, of the alerts that Alertmanager has up."""

from __future__ import annotations

from lake.alerts.alertmanager import Up
from lake.observe import shop_alerts


def up(name: str, **labels: str) -> Up:
    return Up({"alertname": name, "severity": "warning", **labels}, {"run_id": "r1", "summary": "so it is"})


def test_only_rules_of_the_shop_are_told() -> None:
    found = shop_alerts.samples(
        [
            up("revenue_of_yesterday", rule="revenue_of_yesterday", severity="critical"),
            up("NoData", rule="department_falls", segment="TOYS"),
            up("ReplicaStopped", source="shop"),
        ]
    )
    assert [(sample.value, sample.labels) for sample in found] == [
        (1, ("department_falls", "TOYS", "warning", "no data", "r1")),
        (1, ("revenue_of_yesterday", "", "critical", "broken", "r1")),
    ]


def test_they_are_bounded() -> None:
    many = [up("r", rule="r", segment=f"s{number}") for number in range(shop_alerts.MOST + 5)]
    assert len(list(shop_alerts.samples(many))) == shop_alerts.MOST
