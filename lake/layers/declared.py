"""Holds what dbt has built against what its models declare: the names, the order and the types of the columns.

dbt's own enforcement of a contract asks the database for the columns of each query before it runs, which costs as much
planning as the query itself, and makes a table in two commits. What it promises is proven here of the tables, on the
run's branch, in one statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from lake.errors import AuditError
from lake.platform import sql

Columns = Mapping[str, str]
"""Types by name, in the order of the columns."""


def check(models: Iterable[Mapping[str, Any]], catalog: str) -> None:
    """Look at the tables of models whose contract is enforced.

    Args:
        models: nodes of a dbt manifest.
        catalog: Trino's, in which they were built.

    Raises:
        AuditError: a table has other columns than its model declares; each difference is named.
    """
    declared = {
        f"{model['schema']}.{model['name']}": {name: column["data_type"] for name, column in model["columns"].items()}
        for model in models
        if model["config"].get("contract", {}).get("enforced")
    }
    if not declared:
        return
    built = _built({name.partition(".")[0] for name in declared}, catalog)
    wrong = [
        told for name, columns in sorted(declared.items()) for told in differences(name, columns, built.get(name, {}))
    ]
    if wrong:
        raise AuditError(
            "marts are not as they are declared: " + "\n  ".join(wrong),
            "correct the model's query, or its columns in the .yml file beside it; main is as it was",
        )


def differences(table: str, declared: Columns, built: Columns) -> list[str]:
    """What a table has otherwise than it is declared, in words."""
    told = []
    for name in [*declared, *(name for name in built if name not in declared)]:
        wanted, found = declared.get(name, "not there"), built.get(name, "not there")
        if wanted != found:
            told.append(f"{table}.{name} is declared {wanted}, and built {found}")
    if not told and [*declared] != [*built]:
        told.append(f"{table} is declared with the columns {', '.join(declared)}, and built with {', '.join(built)}")
    return told


def _built(schemas: set[str], catalog: str) -> Mapping[str, Columns]:
    listed = ", ".join(f"'{schema}'" for schema in sorted(schemas))
    _, rows = sql.query(
        f"SELECT table_schema || '.' || table_name, column_name, data_type FROM information_schema.columns "
        f"WHERE table_schema IN ({listed}) ORDER BY 1, ordinal_position",
        catalog,
    )
    return {table: {name: kind for _, name, kind in of} for table, of in groupby(rows, key=lambda row: str(row[0]))}
