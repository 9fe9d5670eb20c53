"""The ``mariadb`` client's tab-separated output, read by pyarrow.csv. ``EXTRACT_CLIENT`` names the program."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import common
import pyarrow as pa
import pyarrow.csv as pacsv


def read(url: str, table: str, target: Path) -> None:
    """The client's pipe, in blocks; both run at once."""
    parts, schema = urlsplit(url), common.exact_schema(target)
    command = [os.environ["EXTRACT_CLIENT"], "--no-defaults", "--batch", "--quick", "--skip-ssl", "--protocol=tcp"]
    command += ["--default-character-set=utf8mb4", f"--host={parts.hostname}", f"--port={parts.port}"]
    command += [f"--user={parts.username}", "--execute", f"SELECT * FROM {table}", parts.path.lstrip("/")]
    # Arrow reads a text with a zone only where the zone stands in it.
    types = {field.name: pa.timestamp("us") if pa.types.is_timestamp(field.type) else field.type for field in schema}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={"MYSQL_PWD": parts.password or ""}) as client:
        reader = pacsv.open_csv(
            client.stdout,
            pacsv.ReadOptions(block_size=16 << 20),
            pacsv.ParseOptions(delimiter="\t", quote_char=False, escape_char="\\"),
            pacsv.ConvertOptions(column_types=types, null_values=["NULL"], strings_can_be_null=True),
        )
        common.write(target, schema, (_zoned(batch, schema) for batch in reader))
    if client.returncode:
        raise SystemExit(f"the client ended with exit code {client.returncode}")


def _zoned(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    arrays = [array.cast(field.type) for array, field in zip(batch.columns, schema, strict=True)]
    return pa.record_batch(arrays, schema=schema)


if __name__ == "__main__":
    common.main(read)
