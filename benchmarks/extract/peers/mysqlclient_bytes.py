"""mysqlclient, streaming, without its converters: every value arrives as bytes and gets its type in Arrow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import common
import MySQLdb
import MySQLdb.cursors
import pyarrow as pa


def read(url: str, table: str, target: Path) -> None:
    """Tuples of bytes become columns of bytes, and those the exact types."""
    parts, schema = urlsplit(url), common.exact_schema(target)
    connection = MySQLdb.connect(
        host=parts.hostname,
        port=parts.port,
        user=parts.username,
        password=parts.password,
        database=parts.path.lstrip("/"),
        charset="utf8mb4",
        use_unicode=False,
        conv={},
        cursorclass=MySQLdb.cursors.SSCursor,
    )
    cursor = connection.cursor()
    cursor.execute("SET time_zone = '+00:00'")
    cursor.execute(f"SELECT * FROM {table}")
    common.write(target, schema, _batches(cursor, schema))
    connection.close()


def _batches(cursor: MySQLdb.cursors.SSCursor, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    while rows := cursor.fetchmany(common.ROWS_PER_BATCH):
        arrays = []
        for values, field in zip(zip(*rows, strict=True), schema, strict=True):
            array = pa.array(values, pa.binary())
            is_binary = pa.types.is_binary(field.type)
            arrays.append(array if is_binary else common.from_text(array.cast(pa.string()), field.type))
        yield pa.record_batch(arrays, schema=schema)


if __name__ == "__main__":
    common.main(read)
