"""What dbt has built is held against what its models declare."""

from __future__ import annotations

from typing import Any

import pytest

from lake.errors import AuditError
from lake.layers import declared

BUILT = [["marts.a", "day", "date"], ["marts.a", "revenue", "decimal(18,2)"]]


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declared.sql, "query", lambda statement, catalog: ([], BUILT))


def _model(is_enforced: bool = True, **columns: str) -> dict[str, Any]:
    told = {name: {"data_type": kind} for name, kind in columns.items()}
    return {"schema": "marts", "name": "a", "columns": told, "config": {"contract": {"enforced": is_enforced}}}


def test_a_table_as_it_is_declared() -> None:
    declared.check([_model(day="date", revenue="decimal(18,2)")], "lake")


def test_a_model_that_promises_nothing_is_not_looked_at() -> None:
    declared.check([_model(is_enforced=False, day="varchar")], "lake")


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"day": "date", "revenue": "double"}, "marts.a.revenue is declared double, and built decimal(18,2)"),
        ({"day": "date"}, "marts.a.revenue is declared not there, and built decimal(18,2)"),
        (
            {"day": "date", "revenue": "decimal(18,2)", "cost": "decimal(18,2)"},
            "marts.a.cost is declared decimal(18,2), and built not there",
        ),
        (
            {"revenue": "decimal(18,2)", "day": "date"},
            "marts.a is declared with the columns revenue, day, and built with day, revenue",
        ),
    ],
)
def test_another_type_another_column_or_another_order_is_named(columns: dict[str, str], told: str) -> None:
    with pytest.raises(AuditError) as refused:
        declared.check([_model(**columns)], "lake")
    assert refused.value.what == f"marts are not as they are declared: {told}"
