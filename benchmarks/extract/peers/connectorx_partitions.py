"""connectorx over two connections, the whole table in memory."""

from __future__ import annotations

from pathlib import Path

import common
import connectorx as cx
import pyarrow.parquet as pq


def read(url: str, table: str, target: Path) -> None:
    """Two ranges of the key at once."""
    query = f"SELECT * FROM {table}"
    rows = cx.read_sql(url, query, return_type="arrow", partition_on="id", partition_num=2)
    pq.write_table(rows, target, compression="zstd", compression_level=1)


if __name__ == "__main__":
    common.main(read)
