"""What an alert is: something that somebody should hear of, whoever found it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from lake.alerts import kinds

Severity = Literal["critical", "warning", "info"]


@dataclass(frozen=True)
class Alert:
    """One alert. Whoever finds something makes one; `alertmanager.tell` passes it on.

    Attributes:
        name: of its kind, which the receivers group by.
        summary: what is wrong, in a sentence that holds the names and the figures.
        labels: which thing it is about. With name and severity they are its identity: the same labels are the same
            alert, so they hold nothing that changes from one look to the next. One called ``team`` names who looks
            after it, where that is not who looks after its kind (`kinds`).
        way_out: what to do about it.
        annotations: anything else that helps.
        page: where to look.
        stays: how long it is up when nobody tells it again or ends it. Alertmanager's own five minutes would close one
            between two hourly runs; a day also covers runs that failed.
    """

    name: str
    severity: Severity
    summary: str
    labels: Mapping[str, str] = field(default_factory=dict)
    way_out: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    page: str = ""
    stays: timedelta = timedelta(hours=24)

    @property
    def identity(self) -> dict[str, str]:
        """All of its labels."""
        return {"team": kinds.of(self.name).team, **self.labels, "alertname": self.name, "severity": self.severity}

    @property
    def told(self) -> dict[str, str]:
        """All of its annotations; what is empty is left out."""
        said = {
            "summary": self.summary,
            "way_out": self.way_out,
            "runbook": kinds.runbook(self.name),
            **self.annotations,
        }
        return {name: text for name, text in said.items() if text}
