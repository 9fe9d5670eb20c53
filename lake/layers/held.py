"""What the lake holds of a table, for the extraction to compare the source with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.expressions import (
    AlwaysTrue,
    And,
    BooleanExpression,
    GreaterThan,
    GreaterThanOrEqual,
    LessThanOrEqual,
    Or,
)
from pyiceberg.table import DataScan

from lake.changes.ranges import Range
from lake.contracts import Contract
from lake.errors import HeldFileError
from lake.layers import raw
from lake.platform import storage

FILTERS = 50
"""Ranges that are given to the table's scan one by one; of more only the outer ends are."""


@dataclass(frozen=True)
class HeldRows:
    """The rows of ``cleaned`` and ``quarantine`` at a reference, which together are the source's as of the last run."""

    reference: str
    contract: Contract

    def rows(self, ranges: Sequence[Range], columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """At least the rows whose keys lie in one of the ranges: the columns, of the contract's `read_schema`."""
        yield from self._scan(self._within(ranges), columns)

    def since(self, instant: datetime) -> pa.Table:
        """Rows whose cursor is after an instant, UTC, as the reader gave them.

        Not those of ``raw``, which also has what was changed or deleted since: a row that was deleted and came back as
        it was is new.
        """
        assert self.contract.cursor is not None
        schema = self.contract.read_schema
        after = GreaterThan(self.contract.cursor, instant.isoformat())
        return pa.Table.from_batches(self._scan(after, schema.names), schema)

    def _scan(self, row_filter: BooleanExpression, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        schema = pa.schema([self.contract.read_schema.field(name) for name in columns])
        for layer in ("cleaned", "quarantine"):
            table = raw.find(self.reference, layer, self.contract.table)
            if table is not None:
                have = tuple(name for name in columns if name in table.schema().column_names)
                scan = table.scan(row_filter=row_filter, selected_fields=have)
                for batch in _batches(scan, layer, self.contract.table):
                    # A column that the layer does not have, or not yet, is NULL.
                    values = {name: batch[name] if name in have else pa.nulls(batch.num_rows) for name in columns}
                    yield from pa.table(values).cast(schema).to_batches()

    def _within(self, ranges: Sequence[Range]) -> BooleanExpression:
        """By the key's first column, its ends included, so that nothing in a range is left out."""
        if any(one.lower is None and one.upper is None for one in ranges):
            return AlwaysTrue()
        column = self.contract.key[0]
        bounds = [(_first(one.lower), _first(one.upper)) for one in ranges]
        if len(bounds) > FILTERS:
            bounds = [(_least(low for low, _ in bounds), _greatest(high for _, high in bounds))]
        each = [
            And(
                GreaterThanOrEqual(column, self._literal(low)) if low is not None else AlwaysTrue(),
                LessThanOrEqual(column, self._literal(high)) if high is not None else AlwaysTrue(),
            )
            for low, high in bounds
        ]
        return reduce(Or, each) if each else AlwaysTrue()

    def _literal(self, value: Any) -> Any:
        kind = self.contract.schema.field(self.contract.key[0]).type
        if pa.types.is_decimal(kind):
            return Decimal(value)
        return value.isoformat() if isinstance(value, date) else value


def _batches(scan: DataScan, layer: str, table: str) -> Iterator[pa.RecordBatch]:
    """What a scan finds.

    Raises:
        HeldFileError: a file is damaged.
    """
    try:
        yield from scan.to_arrow_batch_reader()
    except (OSError, ValueError, pa.ArrowException) as error:
        for task in scan.plan_files():
            for file in (task.file, *task.delete_files):
                if reason := _damage(file.file_path):
                    raise HeldFileError(
                        f"{layer}.{table}: {file.file_path} with {file.record_count} rows cannot be read: {reason}",
                        "`lake parity --repair` reads the table anew from the source",
                        table,
                        file.record_count,
                    ) from error
        raise


def _damage(uri: str) -> str:
    """What is wrong with a file; empty if nothing is.

    Raises:
        ServiceError: the object store is away.
    """
    data = storage.get(uri)
    try:
        pq.read_table(pa.BufferReader(data))
    except (OSError, ValueError, pa.ArrowException) as error:
        return " ".join(str(error).split())
    return ""


def _first(key: tuple[Any, ...] | None) -> Any:
    return None if key is None else key[0]


def _least(values: Iterable[Any]) -> Any:
    found = list(values)
    return None if None in found else min(found)


def _greatest(values: Iterable[Any]) -> Any:
    found = list(values)
    return None if None in found else max(found)
