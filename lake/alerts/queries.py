"""Evaluating rules with a query of their own: a value from the lake against what must hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from lake.alerts.finding import Finding
from lake.alerts.rules import Counted, QueryRule
from lake.errors import LakeError, ServiceError
from lake.metrics.series import NAMELESS, Amount, Segment, Series

RunQuery = Callable[[str], list[dict[str, Any]]]
"""SQL in, one dictionary a row out."""


def evaluate(rules: Sequence[QueryRule], as_of: date, run: RunQuery) -> list[Finding]:
    """Evaluate every rule; a finding each, in their order.

    Raises:
        ServiceError: the engine does not answer. That is no finding about the shop: the caller tries again.
    """
    return [_evaluate(rule, as_of, run) for rule in rules]


def _evaluate(rule: QueryRule, as_of: date, run: RunQuery) -> Finding:
    try:
        value, reference = _figures(rule, run(rule.bound(as_of)))
    except ServiceError:
        raise
    except LakeError as error:
        return Finding(rule, "no_data", error.what)
    broken = rule.condition.broken(value, reference)
    return Finding(rule, "firing" if broken else "holds", broken or "holds", value, reference)


def counts(counted: Counted, first: date, last: date, run: RunQuery) -> Series:
    """What is counted by segment and day.

    Raises:
        LakeError: the query does not return days, segments and counts, a row each.
        ServiceError: the engine does not answer.
    """
    amounts: dict[Segment, dict[date, Amount]] = defaultdict(dict)
    for row in run(counted.bound(first, last)):
        if missing := {"day", "segment"} - row.keys():
            raise LakeError(f"the query returned no column {min(missing)!r}, but {', '.join(row)}")
        day, segment = row["day"], NAMELESS if row["segment"] is None else str(row["segment"])
        if not isinstance(day, date):
            raise LakeError(f"the day is {day!r}, not a date")
        if day in amounts[segment,]:
            raise LakeError(f"the query returned {segment} on {day} twice")
        amounts[segment,][day] = Amount(_decimal(row, "value"))
    return Series(False, dict(amounts), min((day for of in amounts.values() for day in of), default=None))


def _figures(rule: QueryRule, rows: list[dict[str, Any]]) -> tuple[Decimal, Decimal | None]:
    """Value and reference, the latter only where the condition needs it.

    Raises:
        LakeError: the rule cannot be evaluated with them.
    """
    if len(rows) != 1:
        raise LakeError(f"the query returned {len(rows)} rows instead of one")
    value = _decimal(rows[0], "value")
    if not rule.condition.is_relative:
        return value, None
    reference = _decimal(rows[0], "reference")
    if not reference:
        raise LakeError("the reference is 0, so there is nothing to compare with")
    return value, reference


def _decimal(row: dict[str, Any], column: str) -> Decimal:
    if column not in row:
        raise LakeError(f"the query returned no column {column!r}, but {', '.join(row)}")
    try:
        number = Decimal(str(row[column])) if row[column] is not None else None
    except ArithmeticError:
        number = Decimal("nan")
    if number is None or not number.is_finite():
        raise LakeError(f"the {column} is {'NULL' if number is None else row[column]}, not a number")
    return number
