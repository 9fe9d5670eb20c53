"""Hold the contracts against the database's own schema, before anything is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymysql.connections import Connection

from lake.contracts import Contract, types
from lake.contracts.load import line_of
from lake.errors import ContractError
from lake.extract.source import fetch
from lake.settings import settings
from lake.sources import Source


@dataclass(frozen=True)
class SourceColumn:
    """A column as the database describes it."""

    name: str
    type: str
    nullable: bool
    comment: str


@dataclass(frozen=True)
class SourceTable:
    """A table as the database describes it.

    Attributes:
        unique_keys: column lists of the unique indexes without nullable columns, the primary key first.
        bytes_estimate: size of the rows, by the server's statistics; for sizing only.
        row_bytes: average size of a row, by the same.
    """

    name: str
    comment: str
    columns: dict[str, SourceColumn]
    unique_keys: list[tuple[str, ...]]
    foreign_keys: dict[str, str]
    bytes_estimate: int
    row_bytes: int


def read_tables(connection: Connection[Any], source: Source) -> dict[str, SourceTable]:
    """Every base table of the source database that the extraction user may see."""
    database = (source.database,)
    columns = fetch(
        connection,
        "SELECT table_name, column_name, column_type, is_nullable, column_comment FROM information_schema.columns "
        "WHERE table_schema = %s ORDER BY table_name, ordinal_position",
        database,
    )
    keys = fetch(
        connection,
        "SELECT table_name, index_name, column_name, nullable FROM information_schema.statistics "
        "WHERE table_schema = %s AND non_unique = 0 "
        "ORDER BY table_name, index_name <> 'PRIMARY', index_name, seq_in_index",
        database,
    )
    references = fetch(
        connection,
        "SELECT table_name, column_name, referenced_table_name AS parent, referenced_column_name AS parent_column "
        "FROM information_schema.key_column_usage WHERE table_schema = %s AND referenced_table_name IS NOT NULL",
        database,
    )
    tables = fetch(
        connection,
        "SELECT table_name, table_comment, data_length, avg_row_length FROM information_schema.tables "
        "WHERE table_schema = %s AND table_type = 'BASE TABLE'",
        database,
    )
    found: dict[str, SourceTable] = {}
    for table in tables:
        name = table["table_name"]
        indexes: dict[str, list[str]] = {}
        nullable_indexes = set()
        for row in keys:
            if row["table_name"] == name:
                indexes.setdefault(row["index_name"], []).append(row["column_name"])
                if row["nullable"] == "YES":
                    nullable_indexes.add(row["index_name"])
        found[name] = SourceTable(
            name=name,
            comment=table["table_comment"] or "",
            columns={
                row["column_name"]: SourceColumn(
                    row["column_name"], _text(row["column_type"]), row["is_nullable"] == "YES", row["column_comment"]
                )
                for row in columns
                if row["table_name"] == name
            },
            unique_keys=[tuple(names) for index, names in indexes.items() if index not in nullable_indexes],
            foreign_keys={
                row["column_name"]: f"{row['parent']}.{row['parent_column']}"
                for row in references
                if row["table_name"] == name
            },
            bytes_estimate=int(table["data_length"] or 0),
            row_bytes=int(table["avg_row_length"] or 0),
        )
    return found


def _text(value: str | bytes | bytearray) -> str:
    return value if isinstance(value, str) else bytes(value).decode()


def check(contracts: dict[str, Contract], tables: dict[str, SourceTable], folder: Path | None = None) -> list[str]:
    """Compare contracts with the source; what the contracts leave out comes back as warnings.

    Raises:
        ContractError: every table, column, type or key that does not fit, each with file and line.
    """
    directory = folder or settings().contracts
    mistakes, warnings = [], []
    for name, contract in contracts.items():
        file = directory / contract.source / f"{name}.yml"
        table = tables.get(contract.name_in_source)
        if table is None:
            mistakes.append(
                f"{file}:1: table {contract.name_in_source!r} is not in the source, or its user may not read it"
            )
            continue
        for column, declared in contract.columns.items():
            found = table.columns.get(contract.column_in_source(column))
            if found is None:
                known = ", ".join(table.columns)
                mistakes.append(f"{_place(file, column)} is not in the source, which has {known}")
            elif not _same_type(declared.type, found.type):
                mistakes.append(f"{_place(file, column)} is {found.type!r} in the source, not {declared.type!r}")
        key_in_source = {contract.column_in_source(column) for column in contract.key}
        if not any(key_in_source == set(key) for key in table.unique_keys):
            known = "; ".join(",".join(key) for key in table.unique_keys) or "none"
            place = f"{file}:{line_of(file, 'key')}"
            mistakes.append(f"{place}: ({','.join(contract.key)}) is no unique key of {name}, which has: {known}")
        read = {contract.column_in_source(column) for column in contract.columns}
        warnings += [f"column {name}.{column} is in no contract" for column in table.columns if column not in read]
    if mistakes:
        raise ContractError("\n".join(mistakes), "correct the contract, or write it again with `lake add-table TABLE`")
    return warnings


def _place(file: Path, column: str) -> str:
    """Where a column stands. Only asked for a mistake: the file is parsed anew each time."""
    return f"{file}:{line_of(file, 'columns', column)}: column {file.stem}.{column}"


def _same_type(declared: str, actual: str) -> bool:
    """Whether two type texts mean one type. MariaDB's JSON is LONGTEXT under a check, so those two are one."""
    left, right = types.normalised(declared), types.normalised(actual)
    return left == right or {left, right} == {"json", "longtext"}
