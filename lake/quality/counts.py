"""Checks that are nothing but counts, of rows or of keys: of all tables at once, in a statement or two.

A statement of its own for each would cost Trino more than the counting. What a run did not touch is checked in no other
way: it still has as many rows as the source.
"""

from __future__ import annotations

from collections.abc import Mapping

from lake.contracts import Contract
from lake.platform import sql
from lake.quality.audit import CheckResult
from lake.quality.suites import BLOCK, completeness

TABLES_PER_STATEMENT = 40
"""Each table is a stage or two of the statement, and Trino refuses more than 150."""

FACTS = {"fct_orders": "orders", "fct_order_items": "order_items", "fct_payments": "payments"}
"""Curated facts that have one row for each of a cleaned table."""


def of(catalog: str, layer: str, tables: list[str]) -> dict[str, int]:
    """Rows of some tables of a layer, by their names."""
    return _counted(catalog, {table: f'{layer}."{table}"' for table in tables})


def keys(catalog: str, contracts: list[Contract]) -> dict[str, int]:
    """How many different keys some cleaned tables hold, by the tables' names.

    Grouped, not asked for as ``count(DISTINCT …)``, which Trino holds in memory whatever the size.
    """
    columns = {contract.table: ", ".join(f'"{name}"' for name in contract.key) for contract in contracts}
    return _counted(
        catalog, {table: f'(SELECT DISTINCT {names} FROM cleaned."{table}")' for table, names in columns.items()}
    )


def _counted(catalog: str, relations: dict[str, str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    listed = list(relations.items())
    for first in range(0, len(listed), TABLES_PER_STATEMENT):
        some = listed[first : first + TABLES_PER_STATEMENT]
        parts = [f"SELECT '{name}' AS name, count(*) AS n FROM {relation}" for name, relation in some]
        counts |= {row["name"]: row["n"] for row in sql.rows(" UNION ALL ".join(parts), catalog)}
    return counts


def unique(contract: Contract, expected: int, found: int) -> CheckResult:
    """Whether a cleaned table has as many keys as it must have rows: then none is there twice."""
    notes = f"as many different keys as rows; expected {expected}"
    check, columns = "expect_compound_columns_to_be_unique", ",".join(contract.key)
    return _compared("cleaned", contract.table, found, expected, notes, check, columns)


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


def _compared(
    layer: str,
    table: str,
    found: int,
    expected: int,
    notes: str,
    check: str = "expect_table_row_count_to_equal",
    columns: str = "",
) -> CheckResult:
    return CheckResult(
        layer=layer,
        table_name=table,
        check_name=check,
        column_name=columns,
        severity=BLOCK,
        is_passed=found == expected,
        observed=str(found),
        notes=notes,
    )
