"""What the row hash costs, on the server and on the client, with this package and with others beside it.

    python -m benchmarks.row_hash mysql://root@127.0.0.1:3306/test --package md5=/path/to/old/site --rows 500000

Each package is a folder in which `mysql_arrow` lies built. A measurement is a process of its own, all take turns, and
the medians are printed: CPU seconds, which suffer less than the wall from what else runs. The server has to be on this
machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pymysql

TABLE = "row_hash_benchmark"
COLUMNS = {
    "id": "BIGINT UNSIGNED PRIMARY KEY", "customer_id": "INT", "store_id": "SMALLINT", "status": "VARCHAR(12)",
    "amount": "DECIMAL(12,2)", "discount": "DECIMAL(5,2)", "quantity": "TINYINT", "weight": "DOUBLE",
    "ordered_at": "DATETIME(6)", "shipped_at": "DATETIME", "due_date": "DATE", "note": "VARCHAR(80)",
}  # fmt: skip
DIGIT = f"(SELECT 0 AS n UNION ALL SELECT {' UNION ALL SELECT '.join(map(str, range(1, 10)))})"
FILL = f"""
INSERT INTO {TABLE}
SELECT seq, seq * 7919 % 200000, seq % 40, ELT(1 + seq % 5, 'new', 'paid', 'shipped', 'returned', 'cancelled'),
  (seq * 104729 % 10000000) / 100, IF(seq % 3, NULL, seq % 50), seq % 10, (seq * 31 % 10007) / 7,
  '2020-01-01' + INTERVAL seq * 17 SECOND + INTERVAL seq * 7919 % 1000000 MICROSECOND,
  IF(seq % 7, '2020-01-02' + INTERVAL seq * 17 SECOND, NULL), '2020-01-05' + INTERVAL seq % 1500 DAY,
  IF(seq % 4, CONCAT('note ', LEFT(SHA2(seq, 256), 32)), NULL)
FROM (SELECT {{seq}} AS seq FROM {{digits}}) AS numbers WHERE seq < {{rows}}"""


def main() -> None:
    """Measure every package in turn, several rounds, and print a line for each and for each part of the work."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument(
        "--package", action="append", default=[], metavar="NAME=FOLDER", help="another one, by its folder"
    )
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(measure(arguments.url)))
        return
    fill(arguments.url, arguments.rows)
    packages = {"this one": "", **dict(package.split("=", 1) for package in arguments.package)}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in packages}
    for _ in range(arguments.rounds):
        for name, folder in packages.items():
            command = [sys.executable, "-m", "benchmarks.row_hash", arguments.url, "--only"]
            path = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH", "")]))
            done = subprocess.run(
                command, check=True, capture_output=True, timeout=600, env={**os.environ, "PYTHONPATH": path}
            )
            found[name].append(json.loads(done.stdout))
    for name, rounds in found.items():
        for part in rounds[0]:
            print(f"{name:12} {part:36} {statistics.median(one[part] for one in rounds):7.2f} s")


def measure(url: str) -> dict[str, float]:
    """CPU seconds by part of the work; without those of the server that has not the function."""
    import mysql_arrow

    kinds = [(name, mysql.removesuffix(" PRIMARY KEY").lower()) for name, mysql in COLUMNS.items()]
    with connect(url) as connection, connection.cursor() as cursor:
        server = _process_of(connection)

        def read(most: int = 10**9, **options: Any) -> None:
            for _ in mysql_arrow.query(connection, f"SELECT * FROM {TABLE} LIMIT {most}", **options):
                pass

        for decoder in ("native", "plain"):
            read(most=100, decoder=decoder, hashes=True)  # what is done once belongs to no measurement
        found = {
            "server: bare count": _cpu(lambda: cursor.execute(f"SELECT COUNT(note) FROM {TABLE}"), server),
            "client: rows": _cpu(lambda: read(decoder="native")),
            "client: rows and hashes": _cpu(lambda: read(decoder="native", hashes=True)),
            "plain client: rows": _cpu(lambda: read(decoder="plain")),
            "plain client: rows and hashes": _cpu(lambda: read(decoder="plain", hashes=True)),
        }
        statement = f"SELECT {mysql_arrow.hash_expression(kinds)} FROM {TABLE}"
        try:
            found["server: sum of hashes"] = _cpu(lambda: cursor.execute(statement), server)
        except pymysql.err.OperationalError as error:
            print(f"no sum of hashes: {error}", file=sys.stderr)
    return found


def _process_of(connection: pymysql.Connection) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@pid_file")
        (path,) = cursor.fetchone() or ("",)
    return int(Path(path).read_text())


def _cpu(work: Callable[[], object], process: int | None = None) -> float:
    """CPU seconds of this process, or of another one, that the work takes."""

    def now() -> float:
        if process is None:
            return time.process_time()
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before = now()
    work()
    return now() - before


def fill(url: str, rows: int) -> None:
    """Make the table, once for a number of rows."""
    with connect(url) as connection, connection.cursor() as cursor:
        columns = ", ".join(f"{name} {mysql}" for name, mysql in COLUMNS.items())
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} ({columns}) CHARACTER SET utf8mb4")
        cursor.execute(f"SELECT COUNT(*) FROM {TABLE}")
        if cursor.fetchone() != (rows,):
            cursor.execute(f"TRUNCATE TABLE {TABLE}")
            places = range(len(str(rows - 1)))
            digits = " CROSS JOIN ".join(f"{DIGIT} AS d{place}" for place in places)
            seq = " + ".join(f"d{place}.n * {10**place}" for place in places)
            cursor.execute(FILL.format(rows=rows, seq=seq, digits=digits))


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
        autocommit=True,
    )


if __name__ == "__main__":
    main()
