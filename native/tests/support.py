"""What the tests share: one of the two decoders, and connections to the server that `MYSQL_ARROW_TEST_URL` names."""

from __future__ import annotations

import os
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit

import mysql_arrow
import pyarrow as pa
import pymysql
from mysql_arrow import _fallback

URL = "MYSQL_ARROW_TEST_URL"
SECOND_URL = "MYSQL_ARROW_TEST_SECOND_URL"
"""Of a server of the other kind, MySQL or MariaDB, on which the binlog's tests run too."""

DATABASE = f"mysql_arrow_test_{os.getpid()}"
"""Of this run alone: another one may be at work on the same server."""


@dataclass(frozen=True)
class Reader:
    """One of the two decoders, by the name that `query` knows it by."""

    name: str

    @property
    def decoders(self) -> ModuleType:
        return _fallback if self.name == "plain" else mysql_arrow

    def query(self, connection: Any, sql: str, parameters: Any = None, **options: Any) -> Any:
        return mysql_arrow.query(connection, sql, parameters, decoder=self.name, **options)

    def table(self, connection: Any, sql: str, **options: Any) -> pa.Table:
        return pa.RecordBatchReader.from_stream(self.query(connection, sql, **options)).read_all()

    def decode(self, data: bytes, **options: Any) -> pa.Table:
        decoder = self.decoders.Decoder(**options)
        decoder.feed(data)
        batches = [pa.record_batch(batch) for batch in decoder.batches()]
        assert decoder.finished
        return pa.Table.from_batches(batches, pa.schema(decoder.schema))


def connect(**options: Any) -> pymysql.Connection:
    parts = urlsplit(os.environ[URL])
    return pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=unquote(parts.username or "root"),
        password=unquote(parts.password or ""),
        charset="utf8mb4",
        ssl_disabled="ssl" not in options,
        autocommit=True,
        init_command="SET SESSION sql_mode='', time_zone='+00:00'",
        **options,
    )


def execute(connection: pymysql.Connection, *statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
