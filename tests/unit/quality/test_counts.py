"""Row counts as checks: equal passes, anything else stops the publish."""

from __future__ import annotations

import pytest

from lake.contracts import Contract
from lake.quality import counts
from lake.quality.suites import BLOCK

CONTRACT = Contract.model_validate(
    {
        "table": "orders",
        "description": "x",
        "owner": "x",
        "grain": "x",
        "key": ["k"],
        "deletes": "none",
        "columns": {"k": {"type": "bigint", "nullable": False}},
    }
)


@pytest.mark.parametrize(("rows", "is_passed"), [(5, True), (4, False), (6, False)])
def test_a_table_has_exactly_the_rows_of_the_source(rows: int, is_passed: bool) -> None:
    result = counts.complete(CONTRACT, 5, rows)
    assert (result.is_passed, result.blocks, result.severity) == (is_passed, not is_passed, BLOCK)
    assert "expected 5" in result.notes
    assert "deletes: none" in result.notes


@pytest.mark.parametrize(("keys", "is_passed"), [(5, True), (4, False)])
def test_no_key_is_there_twice(keys: int, is_passed: bool) -> None:
    result = counts.unique(CONTRACT, 5, keys)
    assert (result.is_passed, result.blocks, result.column_name) == (is_passed, not is_passed, "k")


def test_each_fact_has_the_rows_of_its_cleaned_table() -> None:
    cleaned = {"orders": 2, "order_items": 7, "payments": 3}
    curated = {"fct_orders": 2, "fct_order_items": 6, "fct_payments": 3}
    passed = {result.table_name: result.is_passed for result in counts.reconciled(curated, cleaned)}
    assert passed == {"fct_orders": True, "fct_order_items": False, "fct_payments": True}
