"""Checks that are nothing but row counts: of all tables at once, in a statement or two.

A statement of its own for each would cost Trino more than the counting. What a run did not touch is checked in no other
way: it still has as many rows as the source.
"""

from __future__ import annotations

from collections.abc import Mapping

from lake import sql
from lake.contracts import Contract
from lake.quality.audit import CheckResult
from lake.quality.suites import BLOCK, completeness

TABLES_PER_STATEMENT = 50
"""Each table is a stage of the statement, and Trino refuses more than 150."""

FACTS = {"fct_orders": "orders", "fct_order_items": "order_items", "fct_payments": "payments"}
"""Curated facts that have one row for each of a cleaned table."""


def of(catalog: str, layer: str, tables: list[str]) -> dict[str, int]:
    """Rows of some tables of a layer, by their names."""
    counts: dict[str, int] = {}
    for first in range(0, len(tables), TABLES_PER_STATEMENT):
        some = tables[first : first + TABLES_PER_STATEMENT]
        parts = [f"SELECT '{table}' AS name, count(*) AS n FROM {layer}.\"{table}\"" for table in some]
        counts |= {row["name"]: row["n"] for row in sql.rows(" UNION ALL ".join(parts), catalog)}
    return counts


def complete(contract: Contract, expected: int, rows: int) -> CheckResult:
    """Whether a cleaned table has as many rows as it must."""
    return _compared("cleaned", contract.table, rows, expected, completeness(contract, expected))


def reconciled(curated: Mapping[str, int], cleaned: Mapping[str, int]) -> list[CheckResult]:
    """Whether facts have one row for each of their cleaned tables.

    What the marts say is compared by tests of dbt, which builds them while the audit is at work.
    """
    return [
        _compared("curated", fact, curated[fact], cleaned[source], f"one row for each of cleaned.{source}")
        for fact, source in FACTS.items()
    ]


def _compared(layer: str, table: str, rows: int, expected: int, notes: str) -> CheckResult:
    return CheckResult(
        layer=layer,
        table_name=table,
        check_name="expect_table_row_count_to_equal",
        column_name="",
        severity=BLOCK,
        is_passed=rows == expected,
        observed=str(rows),
        notes=notes,
    )
