"""Evaluating rules, of whichever kind, on one state of the lake."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import date

from lake.alerts import judge, queries
from lake.alerts.finding import Finding
from lake.alerts.judge import AskCounts
from lake.alerts.reasons import AskSeries
from lake.alerts.rules import Counted, MetricRule, QueryRule, Rule
from lake.errors import LakeError, ServiceError
from lake.metrics import definitions, series
from lake.metrics.compiler import Compiler
from lake.metrics.definitions import Metric, Metrics
from lake.metrics.series import Segment, Series
from lake.platform import sql


def evaluate(rules: Sequence[Rule], as_of: date, catalog: str) -> list[Finding]:
    """Evaluate rules; a finding each, of those that judge segments one for each segment.

    Args:
        as_of: the first day that is not over yet.
        catalog: of Trino; it shows one state of the lake.

    Raises:
        LakeError: a rule names a metric or a dimension that there is not.
        ServiceError: Trino does not answer. That is no finding about the shop: the caller tries again.
    """
    asked = [rule for rule in rules if isinstance(rule, QueryRule)]
    found = queries.evaluate(asked, as_of, lambda query: sql.rows(query, catalog))
    judged = [rule for rule in rules if isinstance(rule, MetricRule)]
    if not judged:
        return found
    metrics = definitions.load()
    ask, count = _asking(metrics, catalog), _counting(catalog)
    metric_of = {rule.name: judge.known(rule, metrics) for rule in judged}
    for rule in judged:
        found += _judged(rule, metric_of[rule.name], as_of, ask, count)
    return found


def _judged(rule: MetricRule, metric: Metric, as_of: date, ask: AskSeries, count: AskCounts) -> list[Finding]:
    try:
        return judge.judge(rule, metric, as_of, ask, count)
    except ServiceError:
        raise
    except LakeError as error:
        return [Finding(rule, "no_data", error.what)]


def _asking(metrics: Metrics, catalog: str) -> AskSeries:
    """Asks the lake, and for what was asked before not again: rules of one metric ask alike."""
    compiler = Compiler(metrics.manifest)

    @functools.cache
    def ask(metric: Metric, by: Segment, first: date, last: date) -> Series:
        return series.series(metrics, compiler, metric, by, first, last, catalog)

    return ask


def _counting(catalog: str) -> AskCounts:
    @functools.cache
    def count(counted: Counted, first: date, last: date) -> Series:
        return queries.counts(counted, first, last, lambda query: sql.rows(query, catalog))

    return count
