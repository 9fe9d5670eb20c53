"""Finds rows of a table in memory, and says of each where it lies: in which file, and at which place of it.

Which rows are wanted is told by a few of their columns, a key or what points at a parent. These are read of every file
that may hold such a row, all others only where one was found. So an increment of a table costs what it changes, and one
or two columns of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.expressions import AlwaysTrue, And, BooleanExpression, GreaterThanOrEqual, In, LessThanOrEqual
from pyiceberg.io.pyarrow import PYARROW_PARQUET_FIELD_ID_KEY
from pyiceberg.manifest import DataFileContent
from pyiceberg.table import FileScanTask, Table

from lake import logs
from lake.layers.keys import Key, keys_of, places
from lake.platform import storage
from lake.platform.row_delta import DELETES

FILE, PLACE = "_file", "_pos"
"""Columns that say where a row lies, by the names that Iceberg has for them."""

AT_ONCE = 4
BATCH_ROWS = 1 << 16

FEW_VALUES = 200
"""Of a column, which a scan holds against the bounds of each file one by one; Iceberg looks at no more."""

Wanted = Callable[[pa.Table], Any]
"""Given some columns of some rows: a mask of those that are wanted."""


def locate(
    table: Table, schema: pa.Schema, looked_at: Sequence[str], wanted: Wanted, within: BooleanExpression | None = None
) -> pa.Table:
    """The rows of a table that are wanted, and where they lie.

    Args:
        schema: the columns to read; one that the table does not have is NULL.
        looked_at: those of them by which a row is wanted.
        wanted: called with these columns, for any part of the table.
        within: what holds at least of the rows that are wanted; files in which it holds of none are left unread.

    Returns:
        Columns of the schema, then `FILE` and `PLACE`. Rows that are marked as deleted are not among them.
    """
    tasks = list(table.scan(row_filter=within or AlwaysTrue()).plan_files())
    ids = {field.name: field.field_id for field in table.schema().fields}
    with ThreadPoolExecutor(AT_ONCE, initializer=logs.same_context()) as pool:
        marked = _marked(tasks, pool)

        def one(task: FileScanTask) -> pa.Table:
            return _in_file(task.file.file_path, schema, looked_at, wanted, ids, marked.get(task.file.file_path))

        found = list(pool.map(one, tasks))
    return pa.concat_tables(found) if found else _placed(schema.empty_table(), "", [])


def having(key: Sequence[str], keys: pa.Table) -> Wanted:
    """Wants the rows that have one of some keys.

    Args:
        keys: the key's columns, each of the type that it has in the rows.
    """
    values = {name: pc.unique(keys.column(name)) for name in key}
    exact: set[Key] = {*keys_of(keys, key)} if len(key) > 1 else set()

    def wanted(rows: pa.Table) -> Any:
        found: Any = None
        for name in key:
            among = pc.is_in(rows.column(name), value_set=values[name])
            found = among if found is None else pc.and_(found, among)
        if not exact:
            return found
        # Each column has a value of some key; whether they are of one is seen row by row, of the few that are left.
        left = places(found)
        mask = np.zeros(rows.num_rows, bool)
        mask[[place for place, one in zip(left, keys_of(rows.take(left), key), strict=True) if one in exact]] = True
        return pa.array(mask)

    return wanted


def around(column: str, values: pa.ChunkedArray) -> BooleanExpression:
    """What holds of every row that has one of some values in a column, for numbers; of all rows for anything else."""
    kind = values.type
    if not (pa.types.is_integer(kind) or pa.types.is_decimal(kind)) or not len(values):
        return AlwaysTrue()
    several = pc.unique(values.drop_null()).to_pylist()
    if len(several) <= FEW_VALUES:
        return In(column, several) if several else AlwaysTrue()
    return And(GreaterThanOrEqual(column, min(several)), LessThanOrEqual(column, max(several)))


def read(uri: str, columns: Sequence[str]) -> pa.Table:
    """Some columns of a Parquet file."""
    with storage.errors(uri):
        path, store = storage.path_of(uri), storage.filesystem()
        return pq.read_table(path, filesystem=store, columns=list(columns), partitioning=None).select(list(columns))


def _marked(tasks: Iterable[FileScanTask], pool: ThreadPoolExecutor) -> dict[str, pa.ChunkedArray]:
    """For each file the places of the rows in it that are marked as deleted."""
    uris = {one.file_path for task in tasks for one in task.delete_files if _is_places(one)}
    found: dict[str, list[pa.Table]] = {}
    for marks in pool.map(lambda uri: read(uri, DELETES.names), uris):
        for file in pc.unique(marks.column("file_path")).to_pylist():
            found.setdefault(file, []).append(marks.filter(pc.equal(marks.column("file_path"), file)))
    return {file: pa.concat_tables(some).column("pos") for file, some in found.items()}


def _is_places(deletes: Any) -> bool:
    """Whether a delete file names places.

    Raises:
        ValueError: it names values, which nothing of ours writes.
    """
    if deletes.content != DataFileContent.POSITION_DELETES:
        raise ValueError(f"{deletes.file_path} deletes rows by their values")
    return True


def _in_file(
    uri: str,
    schema: pa.Schema,
    looked_at: Sequence[str],
    wanted: Wanted,
    ids: Mapping[str, int],
    marked: pa.ChunkedArray | None,
) -> pa.Table:
    with storage.errors(uri), storage.filesystem().open_input_file(storage.path_of(uri)) as opened:
        file = pq.ParquetFile(opened, pre_buffer=True)
        names = _names(file.schema_arrow, ids)
        looked = _columns(file.read([names[name] for name in looked_at if name in names]), schema, looked_at, names)
        found = pa.array(places(pc.fill_null(wanted(looked), False)), pa.int64())
        if marked is not None:
            found = found.filter(pc.invert(pc.is_in(found, value_set=marked)))
        rows = _taken(file, found, schema, names)
    return _placed(rows, uri, found)


def _names(file: pa.Schema, ids: Mapping[str, int]) -> dict[str, str]:
    """Column of the table -> its name in a file. They belong together by Iceberg's ids."""
    of_id = {int(field.metadata[PYARROW_PARQUET_FIELD_ID_KEY]): field.name for field in file if field.metadata}
    return {name: of_id[number] for name, number in ids.items() if number in of_id}


def _columns(rows: pa.Table, schema: pa.Schema, wanted: Sequence[str], names: Mapping[str, str]) -> pa.Table:
    """Some columns of a schema, of rows as a file has them."""
    fields = [schema.field(name) for name in wanted]
    columns = [
        rows.column(names[field.name]).cast(field.type)
        if field.name in names
        else pa.chunked_array([pa.nulls(rows.num_rows, field.type)])
        for field in fields
    ]
    return pa.table(columns, schema=pa.schema(fields))


def _taken(file: pq.ParquetFile, found: pa.Array, schema: pa.Schema, names: Mapping[str, str]) -> pa.Table:
    """The rows at some places, ascending. Row groups without any of them are not read."""
    columns = [names[name] for name in schema.names if name in names]
    taken, begin = [schema.empty_table()], 0
    for number in range(file.num_row_groups):
        end = begin + file.metadata.row_group(number).num_rows
        if len(_between(found, begin, end)):
            for batch in file.iter_batches(BATCH_ROWS, row_groups=[number], columns=columns):
                here = _between(found, begin, begin + batch.num_rows)
                if len(here):
                    rows = pa.Table.from_batches([batch]).take(pc.subtract(here, begin))
                    taken.append(_columns(rows, schema, schema.names, names))
                begin += batch.num_rows
        begin = end
    return pa.concat_tables(taken)


def _between(found: pa.Array, begin: int, end: int) -> pa.Array:
    return found.filter(pc.and_(pc.greater_equal(found, begin), pc.less(found, end)))


def _placed(rows: pa.Table, uri: str, found: Any) -> pa.Table:
    file = pa.array([uri] * rows.num_rows, pa.string())
    return rows.append_column(FILE, file).append_column(PLACE, pa.array(found, pa.int64()))
