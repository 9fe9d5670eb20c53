"""Expressions of panels, with Grafana's variables filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

STANDING_FOR = {"__rate_interval": "5m", "__interval": "5m", "__range": "6h"}
"""What the variables of a panel are taken for; any other stands for every value of a label."""


class Asked(NamedTuple):
    """A panel's question.

    Attributes:
        dashboard, panel: uid and title.
        expr: as it stands in the dashboard.
    """

    dashboard: str
    panel: str
    expr: str


def asked(dashboard: dict[str, Any]) -> Iterator[Asked]:
    """Every expression of a dashboard."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield Asked(dashboard["uid"], panel["title"], target["expr"])


def filled(expr: str) -> str:
    """The expression with a value for each variable."""
    return re.sub(r"\$(\w+)", lambda variable: STANDING_FOR.get(variable[1], ".*"), expr)
