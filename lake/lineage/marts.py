"""The lineage of what dbt makes: the queries as dbt compiles them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from lake.layers import marts
from lake.lineage import queries
from lake.lineage.model import Columns, Made, Table, lake_table


def made(known: Columns) -> Iterator[Made]:
    """The tables that dbt makes, each after those that it is made of.

    Args:
        known: columns of the cleaned and the curated tables.

    Raises:
        LakeError: the project cannot be compiled.
    """
    have: dict[Table, tuple[str, ...]] = dict(known)
    with TemporaryDirectory() as target:
        compiled = marts.compiled(Path(target))
    for one in compiled:
        table = lake_table(one.schema, one.name)
        found = queries.read(table, f"dbt.{one.name}", one.query, have)
        have[table] = tuple(found.columns)
        yield found
