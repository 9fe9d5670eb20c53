"""The kinds of alerts that the platform tells by itself: whose each is, what it is about, and its runbook.

Alertmanager's routes (``infra/alertmanager/alertmanager.yml``) go by team and severity. Rules of Prometheus stand in
``infra/prometheus/rules``, and say the same there.
"""

from __future__ import annotations

from dataclasses import dataclass

RUNBOOKS = "docs/runbooks"
DATA, DATABASE, PLATFORM = "data", "database", "platform"
"""Teams: who looks after runs and tables, after the sources' servers, after the services."""


@dataclass(frozen=True)
class Kind:
    """One kind of alert.

    Attributes:
        labels: which thing it is about, beside name, severity and team.
        team: who looks after it, where the alert itself names nobody else.
        runbook: name of the page, where two kinds share one; else the alert's own name.
    """

    labels: tuple[str, ...]
    team: str = DATA
    runbook: str = ""


KINDS: dict[str, Kind] = {
    "DagFailed": Kind(("dag_id",)),
    "RunDoesNotEnd": Kind(("dag_id",)),
    "DagBroken": Kind(("file",)),
    "SourceStale": Kind(("source",), runbook="LakeStale"),
    "TableStale": Kind(("source", "table"), runbook="LakeTableStale"),
    "SourceHeldBack": Kind(("source",)),
    "TableHeldBack": Kind(("source", "table"), runbook="TableHeld"),
    "TableDrifted": Kind(("source", "table", "against")),
    "ServiceAway": Kind(("service",), PLATFORM, "ServiceDown"),
    "WatchSilent": Kind(("beat",), PLATFORM),
    "NotWatched": Kind(("look",), PLATFORM),
    "NoData": Kind(("rule", "segment")),
}
RULE = Kind(("rule", "segment"), runbook="LakeRule")
"""An alert of `lake/alerts/rules.yml`, whose name is the rule's."""


def of(name: str) -> Kind:
    """The kind of an alert by its name."""
    return KINDS.get(name, RULE)


def runbook(name: str) -> str:
    """Path of an alert's runbook in the project."""
    return f"{RUNBOOKS}/{of(name).runbook or name}.md"
