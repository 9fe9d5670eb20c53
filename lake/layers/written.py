"""Writes what becomes of a table, without committing it."""

from __future__ import annotations

import warnings
from collections.abc import Container

import pyarrow as pa
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.table import Transaction

from lake.errors import AuditError
from lake.layers import layout, raw
from lake.layers.content import Change
from lake.platform.rest_catalog import TogetherCatalog
from lake.platform.row_delta import change_rows

# PyIceberg drops whole files where a table's properties ask for deletes beside it, which is what is wanted here.
warnings.filterwarnings("ignore", "Merge on read is not yet supported")


def write(lake: TogetherCatalog, table: str, change: Change, present: Container[str]) -> None:
    """Write a change to a table into the files of a commit that is still to be made.

    Args:
        present: qualified names of the tables that are there.

    Raises:
        AuditError: the table would not have the rows that it should.
    """
    name = (change.layer, table)
    if f"{change.layer}.{table}" not in present:
        transaction = lake.create_table_transaction(name, change.rows.schema, properties=dict(layout.PROPERTIES))
        if change.rows.num_rows:
            transaction.append(change.rows)
        expected = {"total-records": change.rows.num_rows}
    else:
        held = lake.load_table(name)
        transaction = held.transaction()
        _evolve(transaction, change.rows.schema)
        expected = _replace(transaction, change.rows) if change.deletes is None else _change(transaction, change)
    found = {what: raw.told(transaction.table_metadata, what) for what in expected}
    transaction.commit_transaction()
    for what, count in expected.items():
        if found[what] != count:
            raise AuditError(
                f"{table}: {change.layer} would have {what} of {found[what]}, not {count}",
                "this is a defect of the platform: keep the branch and report it",
            )


def _replace(transaction: Transaction, rows: pa.Table) -> dict[str, int]:
    """Let the content of a table be these rows; what its metadata must say then."""
    if raw.told(transaction.table_metadata, "total-records"):
        transaction.delete(AlwaysTrue())
    if rows.num_rows:
        transaction.append(rows)
    return {"total-records": rows.num_rows}


def _change(transaction: Transaction, change: Change) -> dict[str, int]:
    """Add rows to a table and delete others; what its metadata must say then."""
    assert change.deletes is not None
    change_rows(transaction, change.rows, change.deletes.rename_columns(["file_path", "pos"]))
    return {"added-records": change.rows.num_rows, "added-position-deletes": change.deletes.num_rows}


def _evolve(transaction: Transaction, schema: pa.Schema) -> None:
    """Add the columns that a table lacks, and widen those that have grown. What cannot be widened the raw layer has
    refused before."""
    with transaction.update_schema() as update:
        update.union_by_name(schema)
