"""How a metric of parts becomes that of the whole: as a sum, as a quotient of two sums, or not at all.

The customers of two days are not the customers of both: who came twice counts once. So what is a sum can be added up,
what is a quotient can be computed anew from what it is a quotient of, and anything else has to be asked for as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import sqlglot
from sqlglot import exp

_ADDED_UP = {"sum", "count", "sum_boolean"}
"""Aggregations of MetricFlow whose values can be added up."""


@dataclass(frozen=True)
class Formula:
    """What a metric is of others.

    Attributes:
        kind: ``whole`` is what can be neither added up nor divided.
        above, below: names of the metrics of which a quotient is one, both of them sums.
    """

    kind: Literal["sum", "quotient", "whole"]
    above: str = ""
    below: str = ""


SUM, WHOLE = Formula("sum"), Formula("whole")


def of_measure(aggregation: str) -> Formula:
    """Of a metric that is one measure."""
    return SUM if aggregation in _ADDED_UP else WHOLE


def of_expression(expression: str, inputs: Mapping[str, Formula]) -> Formula:
    """Of a metric that is computed of others.

    Args:
        expression: in Trino's SQL.
        inputs: what each of the others is, by name.

    >>> of_expression("sold - returned", {"sold": SUM, "returned": SUM}).kind
    'sum'
    >>> of_expression("cast(late as decimal(38, 6)) / nullif(sent, 0)", {"late": SUM, "sent": SUM})
    Formula(kind='quotient', above='late', below='sent')
    >>> of_expression("sold / nullif(buyers, 0)", {"sold": SUM, "buyers": WHOLE}).kind
    'whole'
    """
    parsed = sqlglot.parse_one(expression, dialect="trino")
    if not all(each.kind == "sum" for each in inputs.values()):
        return WHOLE
    if isinstance(parsed, exp.Div):
        above, below = _bare(parsed.left), _bare(parsed.right)
        return Formula("quotient", above, below) if above and below else WHOLE
    linear = (exp.Add, exp.Sub, exp.Paren, exp.Column, exp.Identifier)
    return SUM if all(isinstance(node, linear) for node in parsed.walk()) else WHOLE


def _bare(node: exp.Expr) -> str:
    """The metric that a side of a quotient is, without its cast and its guard against zero; empty if it is more."""
    while isinstance(node, exp.Cast | exp.Paren | exp.Nullif):
        node = node.this
    return node.name if isinstance(node, exp.Column) else ""
