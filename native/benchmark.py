"""How fast a result of twelve columns becomes a Parquet file, against the floor: its packets read and thrown away.

    python benchmark.py mysql://root@127.0.0.1:3306/test --rows 500000

Makes the table `mysql_arrow_benchmark` in the database, and leaves it there for the next time.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import mysql_arrow
import pyarrow as pa
import pymysql

TABLE = "mysql_arrow_benchmark"
CREATE = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (
  id BIGINT UNSIGNED PRIMARY KEY, customer_id INT NOT NULL, store_id SMALLINT NOT NULL, status VARCHAR(12) NOT NULL,
  amount DECIMAL(12,2) NOT NULL, discount DECIMAL(5,2), quantity TINYINT NOT NULL, weight DOUBLE,
  ordered_at DATETIME(6) NOT NULL, shipped_at DATETIME, due_date DATE, note VARCHAR(80)
)"""
FILL = f"""
INSERT INTO {TABLE}
SELECT seq, seq * 7919 % 200000, seq % 40, ELT(1 + seq % 5, 'new', 'paid', 'shipped', 'returned', 'cancelled'),
  (seq * 104729 % 10000000) / 100, IF(seq % 3, NULL, seq % 50), seq % 10, (seq * 31 % 10007) / 7,
  '2020-01-01' + INTERVAL seq * 17 SECOND + INTERVAL seq * 7919 % 1000000 MICROSECOND,
  IF(seq % 7, '2020-01-02' + INTERVAL seq * 17 SECOND, NULL), '2020-01-05' + INTERVAL seq % 1500 DAY,
  IF(seq % 4, CONCAT('note ', LEFT(SHA2(seq, 256), 32)), NULL)
FROM seq_1_to_{{rows}}"""
SCHEMA = pa.schema(
    [
        ("id", pa.decimal128(20, 0)),
        ("customer_id", pa.int32()),
        ("store_id", pa.int32()),
        ("status", pa.string()),
        ("amount", pa.decimal128(12, 2)),
        ("discount", pa.decimal128(5, 2)),
        ("quantity", pa.int32()),
        ("weight", pa.float64()),
        ("ordered_at", pa.timestamp("us", tz="UTC")),
        ("shipped_at", pa.timestamp("us", tz="UTC")),
        ("due_date", pa.date32()),
        ("note", pa.string()),
    ]
)


def main() -> None:
    """Run each way in a process of its own and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--only", choices=sorted(WAYS))
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(measure(arguments.only, arguments.url, arguments.rows)))
        return
    fill(arguments.url, arguments.rows)
    floor = None
    for way in WAYS:
        command = [sys.executable, __file__, arguments.url, "--rows", str(arguments.rows), "--only", way]
        runs = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(3)]
        best = min(runs, key=lambda run: run["wall"])
        floor = floor or best["wall"]
        print(
            f"{way:16} {best['rows'] / best['wall']:12,.0f} rows/s {best['wall']:7.2f} s wall {best['cpu']:6.2f} s cpu"
            f" {best['wall'] / floor:5.2f} × floor {best['peak_mib']:5.0f} MiB"
        )


def fill(url: str, rows: int) -> None:
    """Make the table, once for a number of rows."""
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(CREATE)
        cursor.execute(f"SELECT COUNT(*) FROM {TABLE}")
        if cursor.fetchone() != (rows,):
            cursor.execute(f"TRUNCATE TABLE {TABLE}")
            cursor.execute(FILL.format(rows=rows))
            connection.commit()


def connect(url: str) -> pymysql.Connection:
    """The connection that `mysql://user:password@host:port/database` names."""
    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 3306,
        user=unquote(parts.username or "root"),
        password=unquote(parts.password or ""),
        database=parts.path.lstrip("/"),
        charset="utf8mb4",
        ssl_disabled=True,
    )


def measure(way: str, url: str, rows: int) -> dict[str, float]:
    """Wall time, the client's CPU time and its peak memory."""
    with connect(url) as connection, tempfile.TemporaryDirectory() as folder:
        sql = f"SELECT * FROM {TABLE} LIMIT {rows}"
        before, start = time.process_time(), time.perf_counter()
        WAYS[way](connection, sql, Path(folder) / "out.parquet")
        wall, cpu = time.perf_counter() - start, time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"rows": rows, "wall": wall, "cpu": cpu, "peak_mib": peak}


def _drain(protocol: str) -> Callable[..., None]:
    return lambda connection, sql, _: mysql_arrow.drain(connection, sql, protocol=protocol)


def _batches(protocol: str, **options: object) -> Callable[..., None]:
    def run(connection: pymysql.Connection, sql: str, _: Path) -> None:
        for _batch in mysql_arrow.query(connection, sql, schema=SCHEMA, protocol=protocol, **options):
            pass

    return run


def _parquet(protocol: str, **options: object) -> Callable[..., None]:
    def run(connection: pymysql.Connection, sql: str, path: Path) -> None:
        mysql_arrow.query(connection, sql, schema=SCHEMA, protocol=protocol, **options).write_parquet(path)

    return run


WAYS: dict[str, Callable[..., None]] = {
    "drain": _drain("binary"),
    "drain text": _drain("text"),
    "batches": _batches("binary"),
    "batches text": _batches("text"),
    "batches, hashes": _batches("binary", hashes=True),
    "parquet": _parquet("binary"),
    "parquet text": _parquet("text"),
    "parquet, hashes": _parquet("binary", hashes=True),
    "plain, parquet": _parquet("binary", decoder="plain"),
    "plain, hashes": _parquet("binary", decoder="plain", hashes=True),
}

if __name__ == "__main__":
    main()
