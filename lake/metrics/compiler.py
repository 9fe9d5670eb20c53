"""A question about a metric, compiled to SQL by MetricFlow, in this process and without a connection."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lake.errors import LakeError, nearest
from lake.metrics.definitions import GRAINS, Metric

if TYPE_CHECKING:
    from lake.metrics.ask import Question

TIME = "metric_time"
"""MetricFlow's name for the time dimension of whatever is asked for."""


class Compiler:
    """Compiles questions about the metrics of one manifest.

    Args:
        manifest: as MetricFlow has parsed it.
    """

    def __init__(self, manifest: Any) -> None:
        # Imported here: MetricFlow takes seconds to import.
        from metricflow.engine.metricflow_engine import MetricFlowEngine
        from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

        # It tells of each step that its planner takes.
        for name in ("metricflow", "metricflow_semantics", "dbt_semantic_interfaces"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._engine = MetricFlowEngine(SemanticManifestLookup(manifest), _no_connection())
        self._entities = {model.node_relation.alias: model.primary_entity for model in manifest.semantic_models}

    def compile(self, question: Question) -> str:
        """SQL for Trino, whose columns are the question's period, its dimensions and its metrics, in this order.

        Raises:
            LakeError: the metric has no such dimension, or is not known for so short a period.
        """
        _check(question)
        names = [question.metric.name, *(each.name for each in question.beside)]
        return self._explained(names, self._by(question), _within(question), ordered=True)

    def compile_parts(self, question: Question, parts: Sequence[str]) -> str:
        """The same question, asked of the metrics that its metric is computed of: a column each, rows in any order.

        Args:
            parts: their names.

        Raises:
            LakeError: as `compile`.
        """
        _check(question)
        return self._explained(parts, self._by(question), _within(question), ordered=False)

    def columns(self, question: Question) -> dict[str, str]:
        """How the columns of the question's dimensions are called in the SQL, by the dimension's name."""
        return {name: self._qualified(question.metric, name) for name in question.by}

    def _by(self, question: Question) -> list[str]:
        time = [f"{TIME}__{question.grain}"] if question.grain else []
        return time + [self._qualified(question.metric, name) for name in question.by]

    def _explained(self, names: Sequence[str], by: list[str], where: list[str], ordered: bool) -> str:
        from metricflow.engine.metricflow_engine import MetricFlowQueryRequest, OutputColumnOrderMode

        request = MetricFlowQueryRequest.create(
            metric_names=names,
            group_by_names=by or None,
            where_constraints=where or None,
            order_by_names=(by or None) if ordered else None,
            output_column_order_mode=OutputColumnOrderMode.INPUT_ORDER,
        )
        return str(self._engine.explain(request).sql_statement.without_descriptions.sql)

    def _qualified(self, metric: Metric, dimension: str) -> str:
        (table, *_) = metric.tables
        return f"{self._entities[table.split('.', 1)[1]]}__{dimension}"


def _check(question: Question) -> None:
    for metric in (question.metric, *question.beside):
        _check_one(metric, question)


def _check_one(metric: Metric, question: Question) -> None:
    for name in question.by:
        if name not in metric.dimensions:
            raise LakeError(f"metric {metric.name} has no dimension {name!r}", nearest(name, metric.dimensions))
    if not question.grain:
        return
    if question.grain not in GRAINS:
        raise LakeError(f"{question.grain!r} is no period", nearest(question.grain, GRAINS))
    if GRAINS.index(question.grain) < GRAINS.index(metric.grain):
        raise LakeError(
            f"metric {metric.name} is known by {metric.grain}, not by {question.grain}", "ask for a longer one"
        )


def _within(question: Question) -> list[str]:
    """Filters for the days of the question, both of which count; by month, the months that begin between them."""
    at = f"{{{{ TimeDimension('{TIME}', '{question.metric.grain}') }}}}"
    bounds = ((">=", question.first), ("<=", question.last))
    within = [f"{at} {sign} date '{day.isoformat()}'" for sign, day in bounds if day]
    spans = [f"({at} >= date '{first}' and {at} <= date '{last}')" for first, last in question.spans]
    return [*within, " or ".join(spans)] if spans else within


def _no_connection() -> Any:
    """What MetricFlow wants of a database: to know which one it writes for. It never asks it."""
    from metricflow.protocols.sql_client import SqlEngine

    from lake.metrics.percentiles import TrinoExactly

    class Trino:
        sql_engine_type = SqlEngine.TRINO
        sql_plan_renderer = TrinoExactly()

    return Trino()
