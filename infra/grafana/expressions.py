"""Expressions of panels: read as PromQL, with Grafana's variables filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import promql_parser
from promql_parser import Matchers, VectorSelector

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


def selectors(expr: str) -> list[tuple[str, frozenset[str]]]:
    """Every metric of an expression, with the labels that are asked of it.

    Raises:
        ValueError: it is not PromQL.
    """
    found: list[tuple[str, frozenset[str]]] = []

    def visit(node: object) -> None:
        if isinstance(node, VectorSelector):
            found.append((node.name or "", frozenset(_labels(node.matchers))))

    promql_parser.walk(promql_parser.parse(filled(expr)), visit)
    return found


def _labels(matchers: Matchers) -> Iterator[str]:
    for matcher in (*matchers.matchers, *(each for some in matchers.or_matchers for each in some)):
        yield matcher.name
