"""Finds what a run has touched, by a column that several tables share, such as the order that rows belong to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.expressions import EqualTo

from lake.contracts import RUN_ID, Contract
from lake.layers import raw
from lake.layers.located import around, having, locate, read
from lake.run import Run


def touched_values(run: Run, contract: Contract, column: str, landed: Sequence[str]) -> pa.Array:
    """The values of a column in rows that the run has read, written, refused or found deleted, each once.

    It is those of the rows as they are now, and as they were when the run began: of a deleted row only its key is
    known, and a row may have gone from one value to another.

    Args:
        landed: addresses of the files that the run landed of the table.
    """
    kind, key = contract.schema.field(column).type, list(contract.key)
    schema = pa.schema([contract.schema.field(name) for name in dict.fromkeys((*key, column))])
    rows = pa.concat_tables([schema.empty_table(), *(read(uri, schema.names).cast(schema) for uri in landed)])
    found = [rows.column(column), *_written(run, contract, column)]
    before = raw.find(run.base_reference, "cleaned", contract.table)
    if before is not None and key != [column] and rows.num_rows:
        within = around(key[0], rows.column(key[0]))
        found.append(locate(before, schema, key, having(key, rows), within).column(column))
    return pc.unique(pa.chunked_array([chunk for values in found for chunk in values.drop_null().chunks], kind))


def _written(run: Run, contract: Contract, column: str) -> Iterable[pa.ChunkedArray]:
    """The values in rows that carry the run's mark."""
    schema = pa.schema([contract.schema.field(column), (RUN_ID, pa.string())])
    of_run = EqualTo(RUN_ID, run.run_id)
    for layer in ("cleaned", "quarantine"):
        table = raw.find(run.branch, layer, contract.table)
        if table is not None:
            found = locate(table, schema, [RUN_ID], lambda rows: pc.equal(rows.column(RUN_ID), run.run_id), of_run)
            yield found.column(column)


def months_of(reference: str, fact: str, orders: pa.Array) -> set[date]:
    """First days of the months in which the rows of some orders lie that a fact has at ``reference``."""
    table = raw.find(reference, "curated", fact)
    if table is None or not len(orders):
        return set()
    ids, schema = pa.table({"order_id": orders}), pa.schema([("order_id", orders.type), ("order_date", pa.date32())])
    within = around("order_id", ids.column("order_id"))
    found = locate(table, schema, ["order_id"], having(["order_id"], ids), within)
    return {day.replace(day=1) for day in pc.unique(found.column("order_date").drop_null()).to_pylist()}
