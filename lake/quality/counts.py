"""Checks that are nothing but counts, of rows or of keys: of all tables at once, in a statement or two.

A statement of its own for each would cost Trino more than the counting. What a run did not touch is checked in no other
way: it still has as many rows as the source.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lake.contracts import Contract
from lake.platform import sql
from lake.quality.audit import CheckResult
from lake.quality.suites import BLOCK, WARN, completeness

TABLES_PER_STATEMENT = 40
"""Each table is a stage or two of the statement, and Trino refuses more than 150."""

COUNTS_PER_STATEMENT = 1_000
"""Each is an aggregate for which Trino makes code."""

FACTS = {"fct_orders": "orders", "fct_order_items": "order_items", "fct_payments": "payments"}
"""Curated facts that have one row for each of a cleaned table."""


@dataclass(frozen=True)
class Rows:
    """How many rows a table has in ``cleaned`` and in ``quarantine``, which together must be the source's."""

    cleaned: int
    quarantine: int

    def to_json(self) -> dict[str, int]:
        """What a receipt says of the table."""
        return {"cleaned_rows": self.cleaned, "quarantine_rows": self.quarantine}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Rows:
        """The inverse of `to_json`; what a receipt says beside it does not matter."""
        return cls(told["cleaned_rows"], told["quarantine_rows"])


def rows(catalog: str, tables: list[str], present: Container[str]) -> dict[str, Rows]:
    """Rows of some tables.

    Args:
        present: qualified names of the tables that there are; of one that is not there no rows are.
    """
    relations = [f"{layer}.{table}" for table in tables for layer in ("cleaned", "quarantine")]
    there = {name: _quoted(name) for name in relations if name in present}
    found = dict.fromkeys(relations, 0) | {name: count for name, (count,) in _counted(catalog, there).items()}
    return {table: Rows(found[f"cleaned.{table}"], found[f"quarantine.{table}"]) for table in tables}


def of(catalog: str, layer: str, tables: list[str]) -> dict[str, int]:
    """Rows of some tables of a layer, by their names."""
    found = _counted(catalog, {table: _quoted(f"{layer}.{table}") for table in tables})
    return {table: count for table, (count,) in found.items()}


def _quoted(name: str) -> str:
    layer, table = name.split(".", 1)
    return f'{layer}."{table}"'


def keys(catalog: str, contracts: list[Contract]) -> dict[str, int]:
    """How many different keys some cleaned tables hold, by the tables' names.

    Grouped, not asked for as ``count(DISTINCT …)``, which Trino holds in memory whatever the size.
    """
    columns = {contract.table: ", ".join(f'"{name}"' for name in contract.key) for contract in contracts}
    found = _counted(
        catalog, {table: f'(SELECT DISTINCT {names} FROM cleaned."{table}")' for table, names in columns.items()}
    )
    return {table: count for table, (count,) in found.items()}


def required(contract: Contract) -> list[str]:
    """Columns in which the contract allows no NULL."""
    return [name for name, column in contract.columns.items() if not column.nullable]


def filled(catalog: str, contracts: list[Contract]) -> dict[str, dict[str, int]]:
    """Rows of some cleaned tables in which a required column has a value, by table and column."""
    columns = {contract.table: required(contract) for contract in contracts}
    found = _counted(catalog, {table: _quoted(f"cleaned.{table}") for table in columns}, columns)
    return {table: dict(zip(columns[table], counts[1:], strict=True)) for table, counts in found.items()}


def _counted(
    catalog: str, relations: Mapping[str, str], columns: Mapping[str, list[str]] | None = None
) -> dict[str, tuple[int, ...]]:
    """The rows of some relations, by the names that they are given, and then those in which each column has a value."""
    selects = {}
    for name, relation in relations.items():
        asked = ["count(*)", *(f'count("{column}")' for column in (columns or {}).get(name, ()))]
        selects[name] = f"SELECT '{name}' AS name, ARRAY[{', '.join(asked)}] AS counts FROM {relation}"
    weights = {name: 1 + len((columns or {}).get(name, ())) for name in relations}
    found: dict[str, tuple[int, ...]] = {}
    for some in _dealt(weights):
        statement = " UNION ALL ".join(selects[name] for name in some)
        found |= {row["name"]: tuple(row["counts"]) for row in sql.rows(statement, catalog)}
    return found


def _dealt(weights: Mapping[str, int]) -> Iterator[list[str]]:
    """Names in lists, each of what one statement may hold."""
    some: list[str] = []
    for name, weight in weights.items():
        if some and (
            len(some) == TABLES_PER_STATEMENT or weight + sum(map(weights.__getitem__, some)) > COUNTS_PER_STATEMENT
        ):
            yield some
            some = []
        some.append(name)
    if some:
        yield some


def unique(contract: Contract, expected: int, found: int) -> CheckResult:
    """Whether a cleaned table has as many keys as it must have rows: then none is there twice."""
    notes = f"as many different keys as rows; expected {expected}"
    check, columns = "expect_compound_columns_to_be_unique", ",".join(contract.key)
    return _compared("cleaned", contract.table, found, expected, notes, check, columns)


def complete(contract: Contract, expected: int, rows: int) -> CheckResult:
    """Whether a cleaned table has as many rows as it must."""
    return _compared("cleaned", contract.table, rows, expected, completeness(contract, expected))


def not_null(contract: Contract, column: str, expected: int, found: int) -> CheckResult:
    """Whether a required column has a value in each row that there must be."""
    notes = f"a value in every row; expected {expected}"
    return _compared("cleaned", contract.table, found, expected, notes, "expect_column_values_to_not_be_null", column)


def waiting(table: str, rows: int) -> CheckResult:
    """A warning for a table with rows in quarantine."""
    return _compared("quarantine", table, rows, 0, "refused rows wait here for their mending", severity=WARN)


def reconciled(curated: Mapping[str, int], cleaned: Mapping[str, int]) -> list[CheckResult]:
    """Whether facts have one row for each of their cleaned tables.

    What the marts say is compared by tests of dbt, which builds them while the audit is at work.
    """
    return [
        _compared("curated", fact, rows, cleaned[FACTS[fact]], f"one row for each of cleaned.{FACTS[fact]}")
        for fact, rows in curated.items()
    ]


def _compared(
    layer: str,
    table: str,
    found: int,
    expected: int,
    notes: str,
    check: str = "expect_table_row_count_to_equal",
    columns: str = "",
    severity: str = BLOCK,
) -> CheckResult:
    return CheckResult(
        layer=layer,
        table_name=table,
        check_name=check,
        column_name=columns,
        severity=severity,
        is_passed=found == expected,
        observed=str(found),
        notes=notes,
    )
