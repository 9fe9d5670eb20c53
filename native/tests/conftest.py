"""A server, and both decoders: every test that asks for `reader` runs with each of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit

import mysql_arrow
import mysql_arrow.pymysql
import pyarrow as pa
import pymysql
import pytest
from mysql_arrow import _fallback

URL = "MYSQL_ARROW_TEST_URL"


@dataclass(frozen=True)
class Reader:
    """One of the two decoders."""

    decoders: ModuleType

    def query(self, connection: Any, sql: str, parameters: Any = None, **options: Any) -> Any:
        protocol = options.pop("protocol", "binary")
        return mysql_arrow.pymysql._open(connection, sql, parameters, protocol, options, self.decoders)

    def table(self, connection: Any, sql: str, **options: Any) -> pa.Table:
        return pa.RecordBatchReader.from_stream(self.query(connection, sql, **options)).read_all()

    def decode(self, data: bytes, **options: Any) -> pa.Table:
        decoder = self.decoders.Decoder(**options)
        decoder.feed(data)
        batches = [pa.record_batch(batch) for batch in decoder.batches()]
        assert decoder.finished
        return pa.Table.from_batches(batches, pa.schema(decoder.schema))


@pytest.fixture(params=["native", "plain"])
def reader(request: pytest.FixtureRequest) -> Reader:
    if request.param == "plain":
        return Reader(_fallback)
    if not mysql_arrow.NATIVE:
        pytest.skip("the extension is not built")
    return Reader(mysql_arrow)


@pytest.fixture(params=["binary", "text"])
def protocol(request: pytest.FixtureRequest) -> str:
    return request.param


def connect(**options: Any) -> pymysql.Connection:
    if URL not in os.environ:
        pytest.skip(f"{URL} names no server, such as mysql://root@127.0.0.1:3306")
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


@pytest.fixture
def connection() -> Iterator[pymysql.Connection]:
    """An empty database of the test's own, and a session that lets every value in."""
    connection = connect()
    with connection.cursor() as cursor:
        cursor.execute("DROP DATABASE IF EXISTS mysql_arrow_test")
        cursor.execute("CREATE DATABASE mysql_arrow_test CHARACTER SET utf8mb4")
        cursor.execute("USE mysql_arrow_test")
    yield connection
    if connection.open:
        connection.close()


def execute(connection: pymysql.Connection, *statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
