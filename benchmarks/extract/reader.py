"""Our side of the benchmark, in a process of its own: one way of reading one table with `mysql_arrow`.

    python -m benchmarks.extract.reader WAY FOLDER TABLE...

The source is named by ``EXTRACT_SOURCE``, the object store by the settings of the lake. Only what a way needs is
imported: what an import costs is measured too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import mysql_arrow
import pymysql

if TYPE_CHECKING:
    Connection = pymysql.Connection[Any]


def _connect() -> Connection:
    parts = urlsplit(os.environ["EXTRACT_SOURCE"])
    return pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=parts.username,
        password=parts.password or "",
        database=parts.path.lstrip("/"),
        charset="utf8mb4",
        init_command="SET SESSION time_zone='+00:00'",
        ssl_disabled=True,
    )


def _floor(protocol: str) -> Callable[[Connection, str, Path], None]:
    return lambda connection, sql, _: void(mysql_arrow.drain(connection, sql, protocol=protocol))


def _decode(connection: Connection, sql: str, _: Path) -> None:
    for _batch in mysql_arrow.query(connection, sql):
        pass


def _parquet(**options: Any) -> Callable[[Connection, str, Path], None]:
    def read(connection: Connection, sql: str, target: Path) -> None:
        # No day that is none may end a read here, as in the platform's own contracts.
        stream = mysql_arrow.query(connection, sql, dates="null", **options)
        rows = stream.write_parquet(target)
        if options.get("hashes") and not (stream.hash_sum and rows):
            raise SystemExit("no hash was computed")

    return read


def _contract(connection: Connection, sql: str, target: Path) -> None:
    """In the types that Iceberg has: no unsigned integers, BIGINT UNSIGNED as decimal(20,0)."""
    import pyarrow as pa

    exact = pa.ipc.read_schema(pa.py_buffer(target.with_suffix(".schema").read_bytes()))
    schema = pa.schema([(field.name, _iceberg(pa, field.type)) for field in exact])
    mysql_arrow.query(connection, sql, schema=schema, dates="null").write_parquet(target)


def _iceberg(pa: Any, exact: Any) -> Any:
    if exact == pa.uint64():
        return pa.decimal128(20, 0)
    if exact == pa.uint32():
        return pa.int64()
    return pa.int32() if pa.types.is_integer(exact) and exact.bit_width < 32 else exact


def _minio(connection: Connection, sql: str, target: Path) -> None:
    """As the platform lands a table: the file goes up while it is being written."""
    from lake.extract.landing import ROW_GROUP_BYTES
    from lake.platform import storage

    path = f"{storage.path_of(storage.LANDING)}/benchmark/{os.getpid()}/{target.name}"
    store = storage.filesystem()
    try:
        with store.open_output_stream(path) as output:
            rows = mysql_arrow.query(connection, sql, dates="null")
            rows.write_parquet(output, row_group_bytes=ROW_GROUP_BYTES)
    finally:
        store.delete_file(path)


WAYS: dict[str, Callable[[Connection, str, Path], None]] = {
    "floor binary": _floor("binary"),
    "floor text": _floor("text"),
    "decode": _decode,
    "parquet": _parquet(),
    "parquet, hashes": _parquet(hashes=True),
    "parquet, contract types": _contract,
    "parquet, MinIO": _minio,
}


def void(_: object) -> None:
    """Leaves out an answer."""


@contextmanager
def _told(folder: Path, table: str, is_alone: bool) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if is_alone:
            raise
        (folder / f"{table}.error").write_text(f"{type(error).__name__}: {error}")


def main(way: str, folder: Path, tables: list[str]) -> None:
    """Read each table; where there are several, a failure is written down and the next one follows."""
    if not mysql_arrow.NATIVE:
        raise SystemExit("mysql_arrow's extension is not built: `make setup` builds it where cargo is")
    for table in tables:
        with _told(folder, table, len(tables) == 1), _connect() as connection:
            WAYS[way](connection, f"SELECT * FROM `{table}`", folder / f"{table}.parquet")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
