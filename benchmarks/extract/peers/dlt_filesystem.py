"""dlt into Parquet files; ``EXTRACT_BACKEND`` names its backend: connectorx or pyarrow."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
os.environ.setdefault("RUNTIME__LOG_LEVEL", "ERROR")
os.environ.setdefault("DO_NOT_TRACK", "1")

import common
import dlt
from dlt.sources.sql_database import sql_table


def read(url: str, table: str, target: Path) -> None:
    """One table, replaced; the files are moved to where the others' lie."""
    state = target.with_suffix(".dlt")
    backend = os.environ["EXTRACT_BACKEND"]
    pipeline = dlt.pipeline(
        "peer",
        pipelines_dir=str(state / "state"),
        destination=dlt.destinations.filesystem(str(state / "out")),
        dataset_name="bench",
    )
    rows = sql_table(
        url.replace("mysql:", "mysql+pymysql:"),
        table=table,
        backend=backend,
        chunk_size=common.ROWS_PER_BATCH,
        reflection_level="full_with_precision",
        write_disposition="replace",
    )
    pipeline.run(rows, loader_file_format="parquet").raise_on_failed_jobs()
    (state / "out" / "bench" / table).replace(target)
    shutil.rmtree(state)


if __name__ == "__main__":
    common.main(read)
