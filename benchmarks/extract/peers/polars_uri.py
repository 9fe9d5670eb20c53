"""polars, which reads through connectorx."""

from __future__ import annotations

from pathlib import Path

import common
import polars as pl


def read(url: str, table: str, target: Path) -> None:
    """The whole table as a frame, then Parquet by polars itself."""
    frame = pl.read_database_uri(f"SELECT * FROM {table}", url, engine="connectorx")
    frame.write_parquet(target, compression="zstd", compression_level=1)


if __name__ == "__main__":
    common.main(read)
