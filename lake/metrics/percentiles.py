"""Percentiles for Trino that are exact: MetricFlow's own would be `approx_percentile`, and no other.

An approximate answer may differ from one computation to the next, and a figure must come out the same when it is
computed again from the same commit. The rule is that of ``dbt/macros/exact_percentile.sql``.
"""

from __future__ import annotations

from collections.abc import Collection

from metricflow.sql.render.expr_renderer import SqlExpressionRenderResult
from metricflow.sql.render.trino import TrinoSqlExpressionRenderer, TrinoSqlPlanRenderer
from metricflow_semantics.sql.sql_exprs import SqlPercentileExpression, SqlPercentileFunctionType
from typing_extensions import override

from lake.errors import LakeError

EXACT = SqlPercentileFunctionType.DISCRETE


class ExactPercentiles(TrinoSqlExpressionRenderer):
    """Expressions as MetricFlow writes them for Trino, but for percentiles: the value at the nearest rank."""

    @property
    @override
    def supported_percentile_function_types(self) -> Collection[SqlPercentileFunctionType]:
        return {EXACT}

    @override
    def visit_percentile_expr(self, node: SqlPercentileExpression) -> SqlExpressionRenderResult:
        """The smallest value that at least so many of the group's values do not exceed; NULLs do not count.

        Raises:
            LakeError: another kind of percentile is asked for.
        """
        wanted = node.percentile_args
        if wanted.function_type is not EXACT:
            raise LakeError(
                f"a percentile that is {wanted.function_type.value} cannot be asked for",
                "say use_discrete_percentile: true in the measure's agg_params",
            )
        value = self.render_sql_expr(node.order_by_arg)
        ranked = f"ARRAY_AGG({value.sql} ORDER BY {value.sql}) FILTER (WHERE {value.sql} IS NOT NULL)"
        rank = f"CAST(CEILING({wanted.percentile} * NULLIF(COUNT({value.sql}), 0)) AS INTEGER)"
        return SqlExpressionRenderResult(f"ELEMENT_AT({ranked}, {rank})", value.bind_parameter_set)


class TrinoExactly(TrinoSqlPlanRenderer):
    """Statements for Trino with percentiles that are exact."""

    EXPR_RENDERER = ExactPercentiles()

    @property
    @override
    def expr_renderer(self) -> ExactPercentiles:
        return self.EXPR_RENDERER
