"""`mysql_arrow.binlog`: over a connection, or with `decode` from memory, so that no server has a part in it."""

from __future__ import annotations

import sys

import pyarrow as pa
import pymysql
from common import Job, timed
from mysql_arrow import _native, binlog

PIECE = 256 << 10
EOF, ERROR = 0xFE, 0xFF


def main() -> None:
    """Read, and count what was found."""
    job = Job.given()
    connection = pymysql.connect(**job.login, charset="utf8mb4", ssl_disabled=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, column_type, COALESCE(character_set_name, '') FROM information_schema.columns "
            "WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
            (job.database, job.table),
        )
        columns = [binlog.Column(*(_text(part) for part in row)) for row in cursor.fetchall()]
    table = binlog.Table(job.table, columns, ["id"], pa.schema([("id", pa.int64())]))
    start = binlog.Gtids(job.gtid) if job.gtid else binlog.Place(*job.start)
    end = binlog.Place(*job.end)
    if "decode" in sys.argv:
        data = recorded(connection, start)
        with timed(job.rows):
            reading = binlog.Pass(job.database, [table], start, end)
            for at in range(0, len(data), PIECE):
                reading.feed(data[at : at + PIECE])
                assert list(reading) == []
            check(reading, job)
        return
    with timed(job.rows):
        reading = binlog.Pass(job.database, [table], start, end)
        with reading.over(connection) as statements:
            assert list(statements) == []
        check(reading, job)


def check(reading: binlog.Pass, job: Job) -> None:
    """Every row was found."""
    assert reading.is_reached
    found = reading.found(job.table)
    assert found.rows == job.rows, (found.rows, found.reason)
    assert pa.record_batch(found.keys).num_rows > 0


def recorded(connection: pymysql.Connection, start: binlog.Place | binlog.Gtids) -> bytes:
    """The stream as it comes over the wire."""
    binlog._announce(connection)
    command = _native.dump_command(start.text if isinstance(start, binlog.Gtids) else (start.file, start.offset))
    connection._execute_command(command[0], command[1:])
    data = bytearray()
    while True:
        header = connection._read_bytes(4)
        body = connection._read_bytes(int.from_bytes(header[:3], "little"))
        assert body[0] != ERROR, body
        data += header + body
        if body[0] == EOF and len(body) < 9:
            return bytes(data)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


main()
