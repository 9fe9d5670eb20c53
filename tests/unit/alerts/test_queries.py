"""What rules come to: holding, firing, or impossible to tell."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from lake.alerts.queries import evaluate
from lake.alerts.rules import QueryRule
from lake.errors import LakeError, ServiceError

RULE = QueryRule.model_validate(
    {
        "name": "sales",
        "description": "Too few.",
        "severity": "warning",
        "query": "SELECT $as_of",
        "condition": {"min_ratio": 0.5},
    }
)
DAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("rows", "state", "summary"),
    [
        ([{"value": Decimal("50.00"), "reference": Decimal("100.00")}], "holds", "holds"),
        (
            [{"value": Decimal("0.00"), "reference": Decimal("100.00")}],
            "firing",
            "0.00 should be at least 50 (0.5 times the reference 100.00)",
        ),
        ([{"value": None, "reference": Decimal("100.00")}], "no_data", "the value is NULL, not a number"),
        ([{"value": 1, "reference": None}], "no_data", "the reference is NULL, not a number"),
        ([{"value": 1, "reference": 0}], "no_data", "the reference is 0, so there is nothing to compare with"),
        ([{"value": float("nan"), "reference": 1}], "no_data", "the value is nan, not a number"),
        ([{"value": 1}], "no_data", "the query returned no column 'reference', but value"),
        ([], "no_data", "the query returned 0 rows instead of one"),
    ],
)
def test_states(rows: list[dict[str, Any]], state: str, summary: str) -> None:
    asked: list[str] = []

    def run(query: str) -> list[dict[str, Any]]:
        asked.append(query)
        return rows

    [finding] = evaluate([RULE], DAY, run)
    assert (finding.state, finding.summary) == (state, summary)
    assert asked == ["SELECT DATE '2026-11-23'"]


def test_a_query_that_fails_is_no_data_and_the_other_rules_are_still_evaluated() -> None:
    def run(query: str) -> list[dict[str, Any]]:
        if "broken" in query:
            raise LakeError("Trino refuses the statement: no such table")
        return [{"value": 1, "reference": 1}]

    broken = RULE.model_copy(update={"query": "SELECT broken"})
    found = evaluate([broken, RULE], DAY, run)
    assert [finding.state for finding in found] == ["no_data", "holds"]
    assert found[0].summary == "Trino refuses the statement: no such table"


def test_an_engine_that_is_away_is_no_finding() -> None:
    def run(query: str) -> list[dict[str, Any]]:
        raise ServiceError("Trino does not answer")

    with pytest.raises(ServiceError):
        evaluate([RULE], DAY, run)
