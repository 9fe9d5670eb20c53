"""Checks that are nothing but counts, of rows or of keys: of all tables at once, in a statement or two.

A statement of its own for each would cost Trino more than the counting. What a run did not touch is checked in no other
way: it still has as many rows as the source.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lake.contracts import RUN_ID, Contract
from lake.platform import sql
from lake.quality.audit import CheckResult
from lake.quality.suites import BLOCK, WARN, completeness

TABLES_PER_STATEMENT = 40
"""Each table is a stage or two of the statement, and Trino refuses more than 150."""

KEYS_PER_STATEMENT = 20
"""Each of these is five stages."""

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


@dataclass(frozen=True)
class Checked:
    """A cleaned table, and which of its rows are checked.

    Attributes:
        run_id: the run of which the rows are; all rows where it is empty. Rows of runs before were checked by those,
            and a run that changes a row makes it one of its own.
    """

    contract: Contract
    run_id: str = ""

    @property
    def rows(self) -> str:
        """The rows, for FROM."""
        table = _quoted(f"cleaned.{self.contract.table}")
        return f"(SELECT * FROM {table} WHERE {RUN_ID} = '{self.run_id}')" if self.run_id else table

    @property
    def keys(self) -> str:
        """For FROM: how often each key of these rows is there in the whole table, as ``times``."""
        table, names = _quoted(f"cleaned.{self.contract.table}"), [f'"{name}"' for name in self.contract.key]
        listed = ", ".join(names)
        if not self.run_id:
            return f"(SELECT count(*) AS times FROM {table} GROUP BY {listed})"
        both = " AND ".join(f"held.{name} = changed.{name}" for name in names)
        held = ", ".join(f"held.{name}" for name in names)
        changed = f"(SELECT DISTINCT {listed} FROM {self.rows})"
        return f"(SELECT count(*) AS times FROM {table} AS held JOIN {changed} AS changed ON {both} GROUP BY {held})"


def keys(catalog: str, tables: Iterable[Checked]) -> dict[str, tuple[int, int]]:
    """Of some cleaned tables, how many different keys the checked rows have, and how many rows have one of them.

    Grouped, not asked for as ``count(DISTINCT …)``, which Trino holds in memory whatever the size.
    """
    selects = {
        one.contract.table: _select(one.contract.table, ["count(*)", "coalesce(sum(times), 0)"], one.keys)
        for one in tables
    }
    found = _asked(catalog, selects, dict.fromkeys(selects, 1), KEYS_PER_STATEMENT)
    return {table: (different, rows) for table, (different, rows) in found.items()}


def required(contract: Contract) -> list[str]:
    """Columns in which the contract allows no NULL."""
    return [name for name, column in contract.columns.items() if not column.nullable]


def filled(catalog: str, tables: Iterable[Checked]) -> dict[str, tuple[int, dict[str, int]]]:
    """Of some cleaned tables, how many rows are checked, and in how many of them each required column has a value."""
    listed = {one.contract.table: one for one in tables}
    columns = {table: required(one.contract) for table, one in listed.items()}
    found = _counted(catalog, {table: one.rows for table, one in listed.items()}, columns)
    return {table: (rows, dict(zip(columns[table], each, strict=True))) for table, (rows, *each) in found.items()}


def watched(contract: Contract) -> dict[str, float]:
    """Columns of which the contract wants a word when too many rows have no value: the share that may have none."""
    return {
        name: column.warn_null_share_above
        for name, column in contract.columns.items()
        if column.warn_null_share_above is not None
    }


def missing(catalog: str, contracts: Iterable[Contract]) -> list[CheckResult]:
    """Whether too many rows of whole tables have no value in a column that is watched."""
    listed = {contract.table: watched(contract) for contract in contracts if watched(contract)}
    relations = {table: _quoted(f"cleaned.{table}") for table in listed}
    results = []
    for table, (rows, *each) in _counted(
        catalog, relations, {table: [*shares] for table, shares in listed.items()}
    ).items():
        for (column, share), values in zip(listed[table].items(), each, strict=True):
            results.append(_too_many(table, column, rows, rows - values, share))
    return results


def _too_many(table: str, column: str, rows: int, missing: int, share: float) -> CheckResult:
    return CheckResult(
        layer="cleaned",
        table_name=table,
        check_name="expect_column_proportion_of_non_null_values_to_be_between",
        column_name=column,
        severity=WARN,
        is_passed=missing <= share * rows,
        observed=f"{missing} of {rows} rows without a value",
        notes=f"the contract wants a word above a share of {share:g}",
    )


def _counted(
    catalog: str, relations: Mapping[str, str], columns: Mapping[str, list[str]] | None = None
) -> dict[str, tuple[int, ...]]:
    """The rows of some relations, by the names that they are given, and then those in which each column has a value."""
    asked = {
        name: ["count(*)", *(f'count("{column}")' for column in (columns or {}).get(name, ()))] for name in relations
    }
    selects = {name: _select(name, asked[name], relation) for name, relation in relations.items()}
    weights = {name: len(aggregates) for name, aggregates in asked.items()}
    return _asked(catalog, selects, weights, TABLES_PER_STATEMENT)


def _select(name: str, aggregates: list[str], relation: str) -> str:
    return f"SELECT '{name}' AS name, ARRAY[{', '.join(aggregates)}] AS counts FROM {relation}"


def _asked(
    catalog: str, selects: Mapping[str, str], weights: Mapping[str, int], most: int
) -> dict[str, tuple[int, ...]]:
    """The counts that some statements give, by their names: as few statements as hold them all.

    Args:
        weights: aggregates of each.
        most: of these in one.
    """
    found: dict[str, tuple[int, ...]] = {}
    for some in _dealt(weights, most):
        statement = " UNION ALL ".join(selects[name] for name in some)
        found |= {row["name"]: tuple(row["counts"]) for row in sql.rows(statement, catalog)}
    return found


def _dealt(weights: Mapping[str, int], most: int) -> Iterator[list[str]]:
    """Names in lists, each of what one statement may hold."""
    some: list[str] = []
    for name, weight in weights.items():
        if some and (len(some) == most or weight + sum(map(weights.__getitem__, some)) > COUNTS_PER_STATEMENT):
            yield some
            some = []
        some.append(name)
    if some:
        yield some


def unique(contract: Contract, keys: int, rows: int) -> CheckResult:
    """Whether no key of a cleaned table is there twice: as many rows have one of some keys as there are keys."""
    notes = f"as many rows as different keys; expected {keys}"
    check, columns = "expect_compound_columns_to_be_unique", ",".join(contract.key)
    return _compared("cleaned", contract.table, rows, keys, notes, check, columns)


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
