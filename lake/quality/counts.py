"""Checks that are nothing but counts, of rows or of keys: of all tables at once, in a statement or two.

A statement of its own for each would cost Trino more than the counting. What a run did not touch is checked in no other
way: it still has as many rows as the source.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from lake.contracts import RUN_ID, Contract, rules
from lake.contracts.rules import Rule
from lake.layers import raw
from lake.platform import sql
from lake.quality.audit import CheckResult
from lake.quality.severity import BLOCK, WARN
from lake.quality.suites import completeness

TABLES_PER_STATEMENT = 40
"""Each table is a stage or two of the statement, and Trino refuses more than 150."""

KEYS_PER_STATEMENT = 20
"""Each of these is five stages."""

COUNTS_PER_STATEMENT = 1_000
"""Each is an aggregate for which Trino makes code."""

ASKED_AT_ONCE = 4
"""Tables of which the catalog is asked at a time."""

FACTS = {
    "fct_orders": "orders",
    "fct_order_items": "order_items",
    "fct_payments": "payments",
    "fct_refunds": "refunds",
}
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


def quarantined(reference: str, tables: list[str], present: Container[str]) -> dict[str, int]:
    """Rows of some tables in quarantine, as the catalog says: nobody marks rows as deleted there. Where it said wrong,
    the rows in ``cleaned``, which are counted, would not be those that are left.

    Args:
        present: qualified names of the tables that there are; of one that is not there no rows are.
    """
    there = [table for table in tables if f"quarantine.{table}" in present]
    with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        found = pool.map(lambda table: raw.row_count(reference, "quarantine", table), there)
        return dict.fromkeys(tables, 0) | dict(zip(there, found, strict=True))


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
    relations = {one.contract.table: one.keys for one in tables}
    again = {table: ["coalesce(sum(times), 0)"] for table in relations}
    found = _counted(catalog, relations, again, KEYS_PER_STATEMENT)
    return {table: (different, rows) for table, (different, rows) in found.items()}


@dataclass(frozen=True)
class Contents:
    """What was counted in one cleaned table.

    Attributes:
        filled: by required column, rows in which it has a value.
        strange: by ENUM whose values the contract does not list, rows in which it has a value that is no label.
        keys: how many different ones there are; nothing where they were not counted with the rest.
    """

    rows: int
    filled: dict[str, int]
    strange: dict[str, int]
    keys: int | None = None


def required(contract: Contract) -> list[str]:
    """Columns in which the contract allows no NULL."""
    return [name for name, column in contract.columns.items() if not column.nullable]


def typed(contract: Contract) -> list[Rule]:
    """The rules which say that a column has only values of its type. What a person lists has a suite."""
    return [
        rule
        for rule in rules.of(contract)
        if rule.kind == "not_accepted" and contract.columns[rule.column].accepted is None
    ]


def contents(catalog: str, tables: Collection[Checked]) -> dict[str, Contents]:
    """What is in the checked rows of some cleaned tables, by their names."""
    relations = {one.contract.table: one.rows for one in tables}
    filled = {one.contract.table: required(one.contract) for one in tables}
    labelled = {one.contract.table: typed(one.contract) for one in tables}
    asked = {
        table: [*(f'count("{name}")' for name in filled[table]), *(_strange(rule) for rule in labelled[table])]
        for table in filled
    }
    found = _counted(catalog, relations, asked)
    return {
        table: Contents(
            rows,
            dict(zip(filled[table], counts[: len(filled[table])], strict=True)),
            dict(zip((rule.column for rule in labelled[table]), counts[len(filled[table]) :], strict=True)),
        )
        for table, (rows, *counts) in found.items()
    }


def _strange(rule: Rule) -> str:
    values = ", ".join("'" + value.replace("'", "''") + "'" for value in rule.values)
    return f'count_if("{rule.column}" {"NOT IN" if rule.test == "not_among" else "IN"} ({values}))'


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
    asked = {table: [f'count("{column}")' for column in shares] for table, shares in listed.items()}
    results = []
    for table, (rows, *each) in _counted(catalog, relations, asked).items():
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
    catalog: str,
    relations: Mapping[str, str],
    aggregates: Mapping[str, list[str]] | None = None,
    most: int = TABLES_PER_STATEMENT,
) -> dict[str, tuple[int, ...]]:
    """The rows of some relations, by the names that they are given, and then what else is asked of each.

    Args:
        most: relations in one statement.
    """
    asked = {name: ["count(*)", *(aggregates or {}).get(name, ())] for name in relations}
    selects = {
        name: f"SELECT '{name}' AS name, ARRAY[{', '.join(asked[name])}] AS counts FROM {relation}"
        for name, relation in relations.items()
    }
    found: dict[str, tuple[int, ...]] = {}
    for some in _dealt({name: len(listed) for name, listed in asked.items()}, most):
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


def labels(contract: Contract, column: str, found: int) -> CheckResult:
    """Whether an ENUM has no value that is none of its labels."""
    notes = "rows with a value that is no label of the ENUM; expected 0"
    return _compared("cleaned", contract.table, found, 0, notes, "expect_column_values_to_be_in_set", column)


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
