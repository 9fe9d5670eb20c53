"""The lake's side of a sweep: what it would hold, were a run to take in now what it missed since the last one.

A sweep reads the source later than the last published run did. What changed in between the next run takes in by
itself, so it is no drift. Therefore the increment is found in the sweep's own snapshot, as a run finds it, and the rows
that it would read take the place of those that the lake holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pymysql.connections import Connection

from lake.changes import by_key, hashes, ranges
from lake.changes.buckets import Bucket
from lake.changes.increment import Held, Increment
from lake.changes.ranges import Range
from lake.contracts import Contract
from lake.extract.overlap import signatures
from lake.ledger import parity_layout
from lake.ledger.parity_layout import Layout
from lake.source import reader

HASH = "_hash"
"""Column of the hash of a row, beside those of its key."""


@dataclass(frozen=True)
class CaughtUp:
    """What the lake holds of a table, brought up to the sweep's snapshot.

    Attributes:
        read: keys and hashes of the rows that the increment reads.
        outdated: signatures of the keys that it reads or deletes; what the lake holds of them does not count.
    """

    contract: Contract
    held: Held
    read: pa.Table
    outdated: pa.Array | None = None

    def rows(self, wanted: Sequence[Range]) -> Iterator[pa.Table]:
        """Keys and hashes, of at least the rows whose keys lie in one of the ranges.

        Raises:
            OSError, pa.ArrowException: a file cannot be read.
        """
        for batch in self.held.rows(wanted, self.contract.read_schema.names):
            yield self._current(hashed(self.contract, batch))
        yield self.read

    def sums(self, layout: Layout) -> list[Bucket]:
        """Counts and sums by bucket. Raises as `rows` does."""
        found = [Bucket(0, (0,))] * layout.number
        for rows in self.rows([Range()]):
            if rows.num_rows:
                some = parity_layout.totals(layout.places(rows), rows[HASH], layout.number)
                found = [before + more for before, more in zip(found, some, strict=True)]
        return found

    def _current(self, rows: pa.Table) -> pa.Table:
        if self.outdated is None:
            return rows
        keys = signatures(rows.select(list(self.contract.key)))
        return rows.filter(pc.invert(pc.is_in(keys, value_set=self.outdated)))


def caught_up(
    connection: Connection[Any],
    contract: Contract,
    held: Held,
    increment: Increment | None,
    found_on: Connection[Any] | None = None,
) -> CaughtUp:
    """Take an increment in, without writing it anywhere.

    Args:
        connection: with the sweep's snapshot, whose rows count.
        increment: None for none: the lake is compared as it is.
        found_on: with another, later snapshot in which the increment was found; None for the same one.
    """
    read = _schema(contract).empty_table()
    if increment is None or not (increment.pieces or increment.deleted.num_rows):
        return CaughtUp(contract, held, read)
    conditions = [piece.condition for piece in increment.pieces]
    named = [increment.deleted]
    if found_on is not None:
        named += [by_key.read_keys(found_on, contract, (condition, ())) for condition in conditions]
        conditions += [ranges.rendered(connection, one) for one in by_key.conditions(contract, increment.deleted)]
    tables = [rows for condition in conditions for rows in read_rows(connection, contract, condition)]
    read = pa.concat_tables([read, *tables])
    if len(conditions) > 1:
        # A row that two pieces give is one row.
        read = read.group_by(read.column_names).aggregate([]).select(read.column_names).cast(read.schema)
    keys = pa.concat_tables([read.select(list(contract.key)), *named])
    return CaughtUp(contract, held, read, pc.unique(signatures(keys)))


def read_rows(connection: Connection[Any], contract: Contract, condition: str) -> Iterable[pa.Table]:
    """Keys and hashes of rows of the source, read as a run reads them: with what becomes of values that cannot be held.

    Args:
        condition: a template of SQL with its values in place, as `reader.stream` takes it.
    """
    with reader.refusals(contract.table):
        for batch in reader.stream(connection, contract, condition):
            yield hashed(contract, pa.record_batch(batch))


def hashed(contract: Contract, rows: pa.RecordBatch) -> pa.Table:
    """Keys and hashes of rows of the contract's `read_schema`."""
    columns = [*(rows[name] for name in contract.key), hashes.of_rows(contract, rows)]
    return pa.table(columns, schema=_schema(contract))


def _schema(contract: Contract) -> pa.Schema:
    return by_key.key_schema(contract).append(pa.field(HASH, pa.uint64()))
