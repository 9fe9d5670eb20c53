"""`lake add-table`: contracts from the database's own schema."""

from __future__ import annotations

from pathlib import Path

from lake.contracts import draft
from lake.errors import ContractError
from lake.extract import schema, source
from lake.settings import settings
from lake.sources import shop


def add_tables(names: list[str], replace: bool = False) -> list[Path]:
    """Write the contracts of some tables of the source and return their files.

    Raises:
        ContractError: a table is not there, cannot be extracted, or has a contract already.
    """
    folder = settings().contracts / settings().source_name
    with source.connected(shop()) as connection:
        tables = schema.read_tables(connection, shop())
    known = {file.stem for file in folder.glob("*.yml")} | set(names)
    written = []
    for name in names:
        file = folder / f"{name}.yml"
        if name not in tables:
            raise ContractError(f"there is no table {name!r} in the source", f"it has: {', '.join(sorted(tables))}")
        if file.exists() and not replace:
            raise ContractError(f"{file} exists", "delete it, or write it anew with --replace")
        table = tables[name]
        columns = [(column.name, column.type, column.nullable, column.comment) for column in table.columns.values()]
        try:
            contract = draft.draft(
                name, columns, table.unique_keys, table.foreign_keys, known.__contains__, table.comment
            )
        except ValueError as error:
            raise ContractError(f"table {name}: {error}", "see docs/contracts.md") from error
        draft.write(contract, file)
        written.append(file)
    return written
