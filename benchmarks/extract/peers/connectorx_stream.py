"""connectorx, batch by batch."""

from __future__ import annotations

from pathlib import Path

import common
import connectorx as cx


def read(url: str, table: str, target: Path) -> None:
    """As its documentation reads a table that is larger than memory."""
    query = f"SELECT * FROM {table}"
    reader = cx.read_sql(url, query, return_type="arrow_stream", batch_size=common.ROWS_PER_BATCH)
    common.write(target, reader.schema, reader)


if __name__ == "__main__":
    common.main(read)
