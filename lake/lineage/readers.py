"""What people see of the lake's columns: figures and metrics of reports, and alert rules, by their queries."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from datetime import date

from lake.alerts import rules
from lake.layers.dbt_manifest import PARSED_FOR
from lake.lineage import queries
from lake.lineage.model import Columns, Kind, Made, Table
from lake.metrics import definitions
from lake.metrics.ask import Question
from lake.metrics.compiler import Compiler
from lake.metrics.definitions import Metrics
from lake.reports import definition
from lake.settings import settings

ALERTS = "alerts"
"""What alert rules stand under; reports stand under their names."""

_OF_THE_SHOP = {"curated", "marts"}

_SOME_DAY = date(2000, 1, 1)
"""Which day a query is asked of does not change where its columns come from."""


def made(known: Columns) -> Iterator[Made]:
    """The figures and metrics of all reports and the alert rules, as if each were a table.

    Args:
        known: columns of the tables of the lake.

    Raises:
        LakeError: a query cannot be read, or names a column that its table does not have.
    """
    for table, by, query in _queries():
        if _can_be_asked(query, known):
            yield queries.read(table, by, query, known)


def _queries() -> Iterator[tuple[Table, str, str]]:
    for name in definition.names():
        report = definition.load(name)
        for figure in report.figures:
            if isinstance(figure, definition.QueryFigure):
                table = Table(Kind.REPORT, name, figure.name)
                yield table, f"report.{name}", definition.bind(figure.query, _SOME_DAY)
        for metric in definition.named(report):
            yield Table(Kind.REPORT, name, metric), f"report.{name}", _of_metric(metric, (), report.period or "day")
    for rule in rules.load(settings().alert_rules):
        yield Table(Kind.ALERT, ALERTS, rule.name), "alerting", _asked(rule)


def _asked(rule: rules.Rule) -> str:
    """What a rule asks the lake for."""
    if isinstance(rule, rules.QueryRule):
        return rule.bound(_SOME_DAY)
    of_metric = _of_metric(rule.metric, (rule.by,) if rule.by else (), "day")
    if not rule.counted:
        return of_metric
    counts = rule.counted.bound(_SOME_DAY, _SOME_DAY)
    return f"SELECT * FROM ({of_metric}) AS metric CROSS JOIN ({counts}) AS counted"


def _of_metric(name: str, by: tuple[str, ...], grain: str) -> str:
    metrics, compiler = _metric_layer()
    return compiler.compile(Question(metrics.get(name), by, grain)).replace(f'"{PARSED_FOR}".', "")


@functools.cache
def _metric_layer() -> tuple[Metrics, Compiler]:
    metrics = definitions.load()
    return metrics, Compiler(metrics.manifest)


def _can_be_asked(query: str, known: Columns) -> bool:
    """Whether the lake has the layers that a query reads: one without the shop has neither a star schema nor marts, and
    its reports and rules on them are left out."""
    have = {table.space for table in known}
    return not any(re.search(rf'\b{layer}"?\.', query) for layer in _OF_THE_SHOP - have)
