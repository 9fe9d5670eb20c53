"""What source and lake hold, asked of both in SQL: none of the platform's own comparisons has a part in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lake.ledger.receipts import Receipt
from lake.platform import catalog, sql
from tests.year.shop import Shop

ZERO = "0000-00-00"
"""A date that no type of the lake holds."""

ZERO_DATES = {"payments": "due"}
"""Columns that may hold it."""

AT = "year_oracle"
"""Trino's catalog of what is looked at."""


@dataclass(frozen=True)
class Table:
    """A table of the shop and what the lake calls it.

    Attributes:
        lake_name: in each layer.
        columns: the lake's names of columns that it calls otherwise than the source does now.
        dropped: columns that the source has no more.
        key: its columns in the lake; none for a table without one.
        has_history: whether the lake keeps every version.
        zero_is_null: whether a date that there is not is NULL in the lake, and else waits in quarantine.
    """

    lake_name: str
    key: tuple[str, ...]
    columns: Mapping[str, str]
    dropped: frozenset[str] = frozenset()
    has_history: bool = False
    zero_is_null: bool = False


def columns_of(shop: Shop, name: str) -> list[str]:
    """Columns of a table as the source has them now."""
    return [
        column
        for (column,) in shop.ask(
            "SELECT column_name FROM information_schema.columns"
            f" WHERE table_schema = '{shop.database}' AND table_name = '{name}' ORDER BY ordinal_position"
        )
    ]


def counts(shop: Shop, tables: Iterable[str]) -> dict[str, int]:
    """Rows of some tables of the source, by the names that they are given with."""
    names = [*tables]
    selects = (f"SELECT '{name}', COUNT(*) FROM `{shop.names[name]}`" for name in names)
    return {str(name): int(count) for name, count in shop.ask(" UNION ALL ".join(selects))}


def refused(shop: Shop, tables: Mapping[str, Table]) -> dict[str, int]:
    """How many rows must wait in quarantine, of the tables of which any must: those with a date that there is not."""
    found = {}
    for name, column in ZERO_DATES.items():
        if name in tables and not tables[name].zero_is_null:
            found[name] = int(shop.ask(f"SELECT COUNT(*) FROM {shop.names[name]} WHERE {column} = '{ZERO}'")[0][0])
    return found


def assert_equal(shop: Shop, tables: Mapping[str, Table]) -> int:
    """Every row of every table, as often as the source has it, at main; how many there are.

    Raises:
        AssertionError: naming the table and rows that differ.
    """
    rows = 0
    with sql.catalog_at(AT, catalog.MAIN):
        for name, table in tables.items():
            columns = columns_of(shop, shop.names[name])
            there, refused = _source(shop, name, table, columns)
            in_lake = ", ".join(f'"{table.columns.get(column, column)}"' for column in columns)
            here = Counter(map(_plain, _ask(f'SELECT {in_lake} FROM cleaned."{table.lake_name}"')))
            differing = {"in the source alone": [*(there - here)][:3], "in the lake alone": [*(here - there)][:3]}
            assert here == there, f"{name}: {differing}"
            waiting = _ask(f'SELECT count(*) FROM quarantine."{table.lake_name}"')[0][0]
            assert waiting == refused, f"{name}: {waiting} rows wait in quarantine, and {refused} should"
            for column in table.dropped:
                left = _ask(f'SELECT count("{column}") FROM cleaned."{table.lake_name}"')[0][0]
                assert left == 0, f"{name}.{column} is gone from the source, and has {left} values in the lake"
            if table.has_history:
                _assert_history(table, columns)
            rows += sum(there.values())
    return rows


def _source(shop: Shop, name: str, table: Table, columns: list[str]) -> tuple[Counter[Any], int]:
    """The rows that should be in ``cleaned``, and how many should be in quarantine."""
    listed = ", ".join(f"`{column}`" for column in columns)
    found = shop.ask(f"SELECT {listed} FROM `{shop.names[name]}`")
    if table.zero_is_null:
        found = [tuple(None if value == ZERO else value for value in row) for row in found]
    valid = [row for row in found if ZERO not in row]
    return Counter(map(_plain, valid)), len(found) - len(valid)


def _assert_history(table: Table, columns: list[str]) -> None:
    """The versions that are current are the rows that are, and no two of a key overlap."""
    names = ", ".join(f'"{table.columns.get(column, column)}"' for column in columns)
    key = ", ".join(f'"{name}"' for name in table.key)
    current = Counter(map(_plain, _ask(f'SELECT {names} FROM history."{table.lake_name}" WHERE is_current')))
    rows = Counter(map(_plain, _ask(f'SELECT {names} FROM cleaned."{table.lake_name}"')))
    assert current == rows, f"history.{table.lake_name} has other current versions than there are rows"
    before = f"OVER (PARTITION BY {key} ORDER BY valid_from)"
    overlapping = _ask(
        f"SELECT count(*) FROM (SELECT valid_from, lag(valid_to) {before} AS ended, lag(is_current) {before} AS goes_on"
        f' FROM history."{table.lake_name}") WHERE goes_on OR ended > valid_from'
    )
    assert overlapping == [[0]], f"history.{table.lake_name}: {overlapping[0][0]} versions overlap"


def assert_reads(receipts: Iterable[Receipt], keys: Mapping[str, tuple[str, ...]]) -> int:
    """Every table as a receipt shows it can be read at its commit, and has the rows that it says; how many commits.

    The keys are counted, so that the rows themselves are read: how many there are Trino would take from metadata.

    Args:
        keys: key columns of each table, by its name in the lake.
    """
    by_commit: dict[str, list[Receipt]] = {}
    for receipt in receipts:
        by_commit.setdefault(receipt.lake_commit, []).append(receipt)
    for commit, about in by_commit.items():
        told = {name: table["cleaned_rows"] for receipt in about for name, table in receipt.tables.items()}
        with sql.catalog_at(AT, f"{catalog.MAIN}@{commit}"):
            selects = (
                f"SELECT '{name}', count(*), count(DISTINCT {_row(keys[name])}) FROM cleaned.\"{name}\""
                for name in sorted(told)
            )
            found = {name: (rows, different) for name, rows, different in _ask(" UNION ALL ".join(selects))}
        for receipt in about:
            for name, table in receipt.tables.items():
                rows, different = found[name]
                where = f"{name} of {receipt.run_id} at {commit}"
                assert rows == table["cleaned_rows"], f"{where}: {rows} rows, not {table['cleaned_rows']}"
                assert not keys[name] or different == rows, f"{where}: {different} keys of {rows} rows"
    return len(by_commit)


def _row(key: tuple[str, ...]) -> str:
    return f"ROW({', '.join(key)})" if key else "1"


def _ask(statement: str) -> list[list[Any]]:
    return sql.query(statement, AT)[1]


def _plain(row: Any) -> tuple[Any, ...]:
    return tuple(_naive(value) if isinstance(value, datetime) else value for value in row)


def _naive(value: datetime) -> datetime:
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
