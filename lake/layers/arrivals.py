"""Reads what a run has landed of a table, for those who take it in without Spark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from lake.contracts import OPERATION
from lake.errors import AuditError
from lake.layers.sizes import Arrived
from lake.platform import storage


@dataclass(frozen=True)
class Landing:
    """What landed of a table: rows with the contract's columns, the reader's problems and the marks.

    Attributes:
        gone: rows that hold nothing but the keys that are gone, and the marks.
    """

    read: pa.Table
    gone: pa.Table


def landing(arrived: Arrived) -> Landing:
    """What a run has read of a table.

    Raises:
        AuditError: it is not as much as its extraction says.
    """
    schema = pa.schema([column for column in arrived.contract.raw_schema if column.name != OPERATION])
    read, gone = (_in_files(files, schema) for files in (arrived.landed.files, arrived.landed.deletes))
    if (read.num_rows, gone.num_rows) != (arrived.landed.read, arrived.landed.deleted):
        raise AuditError(
            f"{arrived.contract.table}: its landing files hold {read.num_rows} rows and {gone.num_rows} deleted keys, "
            f"but its extraction landed {arrived.landed.read} and {arrived.landed.deleted}",
            "run again: it reads the source anew. If that does not help, keep the branch and report it",
        )
    return Landing(read, gone)


def _in_files(files: Sequence[str], schema: pa.Schema) -> pa.Table:
    parts = [pq.read_table(pa.BufferReader(storage.get(uri)), columns=schema.names) for uri in files]
    return (
        pa.concat_tables([part.select(schema.names).cast(schema) for part in parts]) if parts else schema.empty_table()
    )
