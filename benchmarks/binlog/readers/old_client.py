"""The Python client that was used before, `mysql-replication`, with the columns' names and nothing else asked of it."""

from __future__ import annotations

import random

from common import Job, timed
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.row_event import DeleteRowsEvent, UpdateRowsEvent, WriteRowsEvent


def main() -> None:
    """Read every row to the end."""
    job = Job.given()
    place = {"auto_position": job.gtid} if job.gtid else {"log_file": job.start[0], "log_pos": job.start[1]}
    found = 0
    with timed(job.rows):
        stream = BinLogStreamReader(
            connection_settings={**job.login, "charset": "utf8mb4"},
            server_id=random.randrange(1 << 31, (1 << 32) - 1),
            blocking=False,
            only_events=[DeleteRowsEvent, UpdateRowsEvent, WriteRowsEvent],
            only_schemas=[job.database],
            only_tables=[job.table],
            resume_stream=True,
            enable_logging=False,
            **place,
        )
        for event in stream:
            found += len(event.rows)
        stream.close()
    assert found == job.rows, found


main()
