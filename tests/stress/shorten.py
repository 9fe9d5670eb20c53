"""The shipped rules, routes and scrapes with less patience: what is written as a duration is divided by one factor.

`for`, ranges (``[5m]``), offsets, the steps of subqueries, how long a group waits and a notification is not repeated,
and how often is scraped and evaluated. Numbers stay as they are shipped, also those that are seconds: what fires past
300 seconds of lag fires past 300 seconds of lag, and a fault has to last that long.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import promql_parser as promql
import yaml

FACTOR = 10

OF_ROUTES = ("group_wait", "group_interval", "repeat_interval")
OF_SCRAPES = ("scrape_interval", "evaluation_interval")
OF_RULES = ("for", "keep_firing_for")


def duration(text: str, factor: float = FACTOR) -> str:
    """A duration as Prometheus writes it, divided; to the millisecond, which is as fine as it goes."""
    return text if text == "0s" else _written(promql.parse_duration(text), factor)


def expression(text: str, factor: float = FACTOR) -> str:
    """An expression with every duration in it divided, and nothing else changed.

    Raises:
        ValueError: it is no PromQL.
    """

    def shorter(node: promql.Expr) -> promql.Expr | None:
        # From the inside out: the selector of a range has been shortened when the range is.
        match node:
            case promql.MatrixSelector():
                selector = node.vector_selector
                return promql.parse(f"{_bare(selector)}[{_written(node.range, factor)}]{_offset(selector.offset, 1)}")
            case promql.VectorSelector() if node.offset:
                return promql.parse(f"{_bare(node)}{_offset(node.offset, factor)}")
            case promql.SubqueryExpr():
                steps = f"{_written(node.range, factor)}:{_written(node.step, factor) if node.step else ''}"
                return promql.parse(f"({node.expr.prettify()})[{steps}]{_offset(node.offset, factor)}")
        return None

    return promql.transform(promql.parse(text), post_visit=shorter).prettify()


def rules(document: dict[str, Any], factor: float = FACTOR) -> dict[str, Any]:
    """A file of rules."""
    for group in document["groups"]:
        if "interval" in group:
            group["interval"] = duration(group["interval"], factor)
        for rule in group["rules"]:
            rule["expr"] = expression(rule["expr"], factor)
            _divide(rule, OF_RULES, factor)
    return document


def routes(route: dict[str, Any], factor: float = FACTOR) -> None:
    """A route of Alertmanager's, and those below it."""
    _divide(route, OF_ROUTES, factor)
    for each in route.get("routes", ()):
        routes(each, factor)


def scrapes(document: dict[str, Any], factor: float = FACTOR) -> None:
    """How often Prometheus asks and evaluates. What it may wait for an answer is no longer than until it asks again."""
    for part in (document["global"], *document["scrape_configs"]):
        _divide(part, OF_SCRAPES, factor)
    often = document["global"]["scrape_interval"]
    for part in (document["global"], *document["scrape_configs"]):
        part["scrape_timeout"] = part.get("scrape_interval", often)


def write_rules(shipped: Path, folder: Path) -> None:
    """Write every file of shipped rules, shortened."""
    folder.mkdir()
    for file in shipped.glob("*.yml"):
        (folder / file.name).write_text(yaml.safe_dump(rules(yaml.safe_load(file.read_text()))))


def _divide(part: dict[str, Any], names: tuple[str, ...], factor: float) -> None:
    for name in names:
        if name in part:
            part[name] = duration(part[name], factor)


def _bare(selector: promql.VectorSelector) -> str:
    """A selector without its offset."""
    return selector.prettify().partition(" offset ")[0]


def _offset(time: timedelta | None, factor: float) -> str:
    return f" offset {_written(time, factor)}" if time else ""


def _written(time: timedelta, factor: float) -> str:
    return promql.display_duration(timedelta(milliseconds=round(time.total_seconds() * 1000 / factor)))
