"""What a contract's columns demand, as rules: bounds are exact, in the column's own type."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from lake.contracts import Contract, rules
from lake.contracts.rules import Rule

COMMON = {"table": "t", "description": "x", "owner": "x", "grain": "x", "deletes": "none", "key": []}


def _of(**column: Any) -> list[Rule]:
    return rules.of(Contract.model_validate({**COMMON, "columns": {"c": column}}))


def test_reasons_stand_in_one_order() -> None:
    found = _of(type="int", nullable=False, min=1, max=9)
    assert [rule.reason for rule in found] == ["null:c", "below_minimum:c", "above_maximum:c"]


@pytest.mark.parametrize(
    ("kind", "least", "test", "bound"),
    [
        ("int", 0.5, "below", 1),
        ("int", -0.5, "below", 0),
        ("decimal(12,2)", 0.1, "below", Decimal("0.10")),
        ("decimal(12,2)", 0.001, "below", Decimal("0.01")),
        ("decimal(38,30)", 0.1, "below", Decimal("0.100000000000000000000000000000")),
        ("bigint unsigned", 1, "below", Decimal(1)),
        ("bigint", 2.0**62, "below", 2**62),
        ("int", 1e300, "present", 0),
        ("decimal(4,2)", 100, "present", 0),
        ("double", 0.1, "below", 0.1),
        ("float", 0.1, "below", 0.1),
    ],
)
def test_a_minimum_is_brought_to_a_value_of_the_type(kind: str, least: float, test: str, bound: Any) -> None:
    (rule,) = _of(type=kind, min=least)
    assert (rule.test, rule.bound) == (test, bound)
    assert type(rule.bound) is type(bound)


@pytest.mark.parametrize(
    ("kind", "greatest", "test", "bound"),
    [
        ("int", 0.5, "above", 0),
        ("int", -0.5, "above", -1),
        ("decimal(12,2)", 0.999, "above", Decimal("0.99")),
        ("int", -1e300, "present", 0),
    ],
)
def test_a_maximum_is_brought_to_a_value_of_the_type(kind: str, greatest: float, test: str, bound: Any) -> None:
    (rule,) = _of(type=kind, max=greatest)
    assert (rule.test, rule.bound) == (test, bound)


@pytest.mark.parametrize("column", [{"type": "int", "min": -1e300}, {"type": "decimal(4,2)", "max": 99.99}])
def test_a_bound_that_no_value_breaks_is_no_rule(column: dict[str, Any]) -> None:
    assert _of(**column) == []


def test_values_that_are_accepted() -> None:
    assert _of(type="enum('a','b')") == [Rule("not_accepted", "c", "not_among", values=("a", "b"))]
    assert _of(type="enum('a?')") == [Rule("not_accepted", "c", "among", values=("",))]
    assert _of(type="enum('','a?')") == []


def test_the_columns_that_the_reader_could_not_hold() -> None:
    told = "state: 0xFF is no text; at: '0000-00-00' is no date and time"
    assert rules.unreadable(told) == ["state", "at"]
