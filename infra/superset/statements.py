"""The SQL of a chart, all of it from its metric's definition.

A dataset asks for the sums that a metric is computed of, by day and by what its charts split it by; MetricFlow compiles
that. Superset computes the metric of them by the metric's own expression, over the days and parts that a person chose.
So a share of a quarter is the quotient of two sums of a quarter, never an average of shares. What is no sum at all,
such as customers, is asked for by one grain and not added up.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlglot
from sqlglot import exp

from infra.superset.declared import Chart
from infra.superset.sums import is_of_sums, parts
from lake.layers.dbt_manifest import PARSED_FOR
from lake.metrics.ask import Question
from lake.metrics.compiler import TIME, Compiler
from lake.metrics.definitions import Metric, Metrics
from lake.metrics.series import NAMELESS

AT = "period_start"
"""Name of the column that says when."""


def dataset_of(metrics: Metrics, chart: Chart) -> str:
    """Name of the dataset that a chart draws from: its metric's, with the grain where only that one will do."""
    if chart.metric is None:
        return chart.check
    return chart.metric.name if is_of_sums(metrics, chart.metric) else f"{chart.metric.name}_by_{chart.grain}"


def expression(metrics: Metrics, metric: Metric) -> str:
    """What Superset computes of a dataset's rows."""
    if not is_of_sums(metrics, metric):
        return f"MAX({metric.name})"  # of one row
    return _expressed(metrics, metric).sql(dialect="trino")


def _expressed(metrics: Metrics, metric: Metric) -> exp.Expression:
    if not metrics.inputs(metric):
        return exp.Sum(this=exp.column(metric.name))

    def replaced(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Column):
            return _wrapped(_expressed(metrics, metrics.get(node.name)))
        return node

    return sqlglot.parse_one(metric.expression, dialect="trino").transform(replaced)


def _wrapped(node: exp.Expression) -> exp.Expression:
    return exp.paren(node) if isinstance(node, exp.Binary) else node


def statement(metrics: Metrics, compiler: Compiler, metric: Metric, by: Sequence[str], grain: str) -> str:
    """A dataset's SQL: when, by what, and the sums.

    Args:
        grain: of its rows.
    """
    question = Question(metric, tuple(by), grain)
    names = parts(metrics, metric) if is_of_sums(metrics, metric) else [metric.name]
    compiled = compiler.compile_parts(question, names).replace(f'"{PARSED_FOR}".', '"lake".')
    given = compiler.columns(question)
    said = [f"CAST({TIME}__{grain} AS timestamp(6)) AS {AT}"]
    said += [f"COALESCE(CAST({column} AS varchar), '{NAMELESS}') AS {name}" for name, column in given.items()]
    inner = "\n".join(f"  {line}" for line in compiled.splitlines())
    separated = ",\n  ".join([*said, *names])
    return f"SELECT\n  {separated}\nFROM (\n{inner}\n) AS asked"
