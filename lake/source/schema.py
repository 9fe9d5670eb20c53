"""Hold the contracts against the database's own schema, before anything is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pymysql.connections import Connection

from lake.contracts import Contract, follow
from lake.contracts.follow import Fit
from lake.contracts.load import line_of
from lake.contracts.source_schema import ForeignKey, SourceColumn, SourceTable
from lake.settings import settings
from lake.source.client import fetch
from lake.source.foreign_keys import SILENT
from lake.source.sources import Source

_TABLES = ("BASE TABLE", "SYSTEM VERSIONED")


def read_tables(connection: Connection[Any], source: Source) -> dict[str, SourceTable]:
    """Every table of the source database that the extraction user may see, by name. Views are none."""
    described = columns(connection, source)
    indexes = _by_table(
        connection,
        "SELECT table_name, index_name, column_name, nullable FROM information_schema.statistics "
        "WHERE table_schema = %s AND non_unique = 0 "
        "ORDER BY table_name, index_name <> 'PRIMARY', index_name, seq_in_index",
        source,
    )
    references = _by_table(
        connection,
        "SELECT table_name, constraint_name, column_name, referenced_table_name AS parent, "
        "referenced_column_name AS parent_column FROM information_schema.key_column_usage "
        "WHERE table_schema = %s AND referenced_table_schema = table_schema "
        "ORDER BY table_name, constraint_name, ordinal_position",
        source,
    )
    # Not joined to the above: MariaDB would open the tables of every database of the server for it.
    rules = _by_table(
        connection,
        "SELECT table_name, constraint_name, update_rule, delete_rule "
        "FROM information_schema.referential_constraints WHERE constraint_schema = %s",
        source,
    )
    constraints = _by_table(
        connection,
        "SELECT table_name FROM information_schema.table_constraints WHERE table_schema = %s",
        source,
    )
    tables = fetch(
        connection,
        "SELECT table_name, table_comment, table_type, engine, data_length, avg_row_length "
        "FROM information_schema.tables WHERE table_schema = %s ORDER BY table_name",
        (source.database,),
    )
    engines = fetch(connection, "SELECT engine FROM information_schema.engines WHERE transactions = 'YES'")
    transactional = {row["engine"] for row in engines}
    return {
        name: SourceTable(
            name=name,
            comment=table["table_comment"] or "",
            columns={column.name: column for column in described.get(name, [])},
            unique_keys=_unique_keys(indexes[name]),
            # An index that is unique is a constraint too: where that is not shown, nor are foreign keys.
            foreign_keys=_foreign_keys(references[name], rules[name])
            if constraints[name] or not indexes[name]
            else None,
            has_snapshots=table["engine"] in transactional,
            bytes_estimate=int(table["data_length"] or 0),
            row_bytes=int(table["avg_row_length"] or 0),
        )
        for table in tables
        if (name := table["table_name"]) and table["table_type"] in _TABLES
    }


def columns(connection: Connection[Any], source: Source) -> dict[str, list[SourceColumn]]:
    """Every column of every table of the source database that the user may see, in the table's order."""
    found = _by_table(
        connection,
        "SELECT table_name, column_name, column_type, is_nullable, column_comment, column_default, extra, "
        "character_set_name AS charset "
        "FROM information_schema.columns WHERE table_schema = %s ORDER BY table_name, ordinal_position",
        source,
    )
    return {table: [_column(row) for row in rows] for table, rows in found.items()}


def others(connection: Connection[Any], source: Source) -> dict[str, str]:
    """What the source database has beside tables (views, sequences): name -> kind, in lower case."""
    found = fetch(
        connection,
        "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = %s ORDER BY table_name",
        (source.database,),
    )
    return {row["table_name"]: row["table_type"].lower() for row in found if row["table_type"] not in _TABLES}


def _by_table(connection: Connection[Any], statement: str, source: Source) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in fetch(connection, statement, (source.database,)):
        found[row["table_name"]].append(row)
    return found


def _column(row: dict[str, Any]) -> SourceColumn:
    now = "current_timestamp"
    kept = now in str(row["column_default"]).lower() and f"on update {now}" in row["extra"].lower()
    # MariaDB prints the default as SQL, in quotes.
    is_zero = _text(row["column_default"] or "").strip("'").startswith("0000-00-00")
    return SourceColumn(
        row["column_name"], _text(row["column_type"]), row["is_nullable"] == "YES", row["column_comment"], kept,
        row["charset"] or "", is_zero,
    )  # fmt: skip


def _unique_keys(rows: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Columns of the indexes on columns that cannot be NULL; MySQL's index parts that are expressions have no name."""
    indexes: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        indexes[row["index_name"]].append(row["column_name"])
    unfit = {row["index_name"] for row in rows if row["nullable"] == "YES" or row["column_name"] is None}
    return [tuple(names) for index, names in indexes.items() if index not in unfit]


def _foreign_keys(rows: list[dict[str, Any]], rules: list[dict[str, Any]]) -> list[ForeignKey]:
    # Rows that go with their parent are found by their keys; rows that stay, changed, are not.
    silent = {
        rule["constraint_name"]
        for rule in rules
        if rule["update_rule"] in SILENT or rule["delete_rule"] in set(SILENT) - {"CASCADE"}
    }
    constraints: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        constraints[row["constraint_name"]].append(row)
    return [
        ForeignKey(
            columns=tuple(row["column_name"] for row in parts),
            parent=parts[0]["parent"],
            parent_columns=tuple(row["parent_column"] for row in parts),
            changes_rows=name in silent,
        )
        for name, parts in constraints.items()
    ]


def _text(value: str | bytes | bytearray) -> str:
    return value if isinstance(value, str) else bytes(value).decode()


def fits(
    contracts: Mapping[str, Contract], tables: Mapping[str, SourceTable], folder: Path | None = None
) -> dict[str, Fit]:
    """How each contract fits its table, by name; obstacles say in which file and line what is wrong."""
    directory = folder or settings().contracts
    read = {contract.name_in_source for contract in contracts.values()}
    unread = [table for name, table in tables.items() if name not in read]
    return {
        name: _placed(follow.fit(contract, tables.get(contract.name_in_source), unread), directory / contract.source)
        for name, contract in contracts.items()
    }


def _placed(found: Fit, folder: Path) -> Fit:
    """With the place in the contract's file before each obstacle. The file is parsed anew for it."""
    file = folder / f"{found.contract.table}.yml"
    return replace(
        found, obstacles={path: f"{_place(file, path)}{problem}" for path, problem in found.obstacles.items()}
    )


def _place(file: Path, path: tuple[str, ...]) -> str:
    try:
        line = line_of(file, *path)
    except OSError:
        line = 1  # the contract was given without a file
    return f"{file}:{line}: " + (f"column {file.stem}.{path[1]} " if len(path) > 1 else "")
