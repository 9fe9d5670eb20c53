"""A server, and both decoders: every test that asks for `reader` runs with each of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import mysql_arrow
import pyarrow as pa
import pymysql
import pytest
from following import ID, Follow, Followed, ask
from support import DATABASE, SECOND_URL, URL, Reader, connect, execute


@pytest.fixture(params=["native", "plain"])
def reader(request: pytest.FixtureRequest) -> Reader:
    if request.param == "native" and not mysql_arrow.NATIVE:
        pytest.skip("missing part: the extension is not built")
    return Reader(request.param)


@pytest.fixture(params=["binary", "text"])
def protocol(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[None]:
    """The server that is named, or the primary of the platform that the repository's own tests start."""
    if URL not in os.environ:
        try:
            request.getfixturevalue("servers")
        except pytest.FixtureLookupError:
            pytest.skip(f"{URL} names no server, such as mysql://root@127.0.0.1:3306")
        from lake.settings import settings

        password = quote(settings().mysql_root_password.get_secret_value())
        os.environ[URL] = f"mysql://root:{password}@{settings().shop_host}:{settings().shop_port}"
        if settings().second_server:
            os.environ[SECOND_URL] = f"mysql://root:{password}@127.0.0.1:{settings().second_port}"
    yield
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")


@pytest.fixture
def connection(server: None) -> Iterator[pymysql.Connection]:
    """An empty database of the test's own, and a session that lets every value in."""
    connection = connect()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        cursor.execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
        cursor.execute(f"USE {DATABASE}")
    yield connection
    if connection.open:
        connection.close()


@pytest.fixture(params=["first", "second"])
def either_server(request: pytest.FixtureRequest, server: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test on both servers, where a second one is named."""
    if request.param == "second":
        if SECOND_URL not in os.environ:
            pytest.skip(f"{SECOND_URL} names no server")
        monkeypatch.setenv(URL, os.environ[SECOND_URL])
    yield
    with connect() as cleaning:
        execute(cleaning, f"DROP DATABASE IF EXISTS {DATABASE}")


@pytest.fixture
def follow(connection: pymysql.Connection) -> Iterator[Follow]:
    if not ask(connection, "SELECT @@GLOBAL.log_bin")[0]:
        pytest.skip("the server writes no binlog")

    def followed(*statements: str, keys: dict[str, pa.Schema] | None = None, **options: Any) -> Followed:
        execute(connection, *statements)
        return Followed(connection, keys or {"t": ID}, **options)

    yield followed
