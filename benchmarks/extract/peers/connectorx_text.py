"""connectorx with decimals as text, which keeps their digits, and every column brought to its exact type in Arrow."""

from __future__ import annotations

from pathlib import Path

import common
import connectorx as cx
import pyarrow as pa


def read(url: str, table: str, target: Path) -> None:
    """Cast on the server and back in Arrow."""
    schema = common.exact_schema(target)
    columns = [
        f"CAST({field.name} AS CHAR) AS {field.name}" if pa.types.is_decimal(field.type) else field.name
        for field in schema
    ]
    query = f"SELECT {', '.join(columns)} FROM {table}"
    reader = cx.read_sql(url, query, return_type="arrow_stream", batch_size=common.ROWS_PER_BATCH)
    common.write(target, schema, (_exact(batch, schema) for batch in reader))


def _exact(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    arrays = [
        common.from_text(array, field.type) if pa.types.is_decimal(field.type) else array.cast(field.type)
        for array, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.record_batch(arrays, schema=schema)


if __name__ == "__main__":
    common.main(read)
