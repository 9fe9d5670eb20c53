"""A server, and both decoders: every test that asks for `reader` runs with each of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import mysql_arrow
import pyarrow as pa
import pymysql
import pytest
from following import ID, Follow, Followed, ask
from support import DATABASE, URL, Reader, connect, execute


@pytest.fixture(params=["native", "plain"])
def reader(request: pytest.FixtureRequest) -> Reader:
    if request.param == "native" and not mysql_arrow.NATIVE:
        pytest.skip("missing part: the extension is not built")
    return Reader(request.param)


@pytest.fixture(params=["binary", "text"])
def protocol(request: pytest.FixtureRequest) -> str:
    return request.param


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run on the server that is named, or on both of those that the repository's own tests start."""
    if "server" in metafunc.fixturenames:
        servers = ["named"] if URL in os.environ else ["mariadb", "mysql"]
        metafunc.parametrize("server", servers, indirect=True, scope="session")


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[None]:
    """A server, and its address in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param != "named":
            try:
                addresses = request.getfixturevalue("server_addresses")
            except pytest.FixtureLookupError:
                pytest.skip(f"{URL} names no server, such as mysql://root@127.0.0.1:3306")
            if request.param not in addresses:
                pytest.skip(f"missing part: {request.param} is not installed")
            patch.setenv(URL, addresses[request.param])
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


@pytest.fixture
def follow(connection: pymysql.Connection) -> Follow:
    """What follows a table's changes through the binlog."""
    if not ask(connection, "SELECT @@GLOBAL.log_bin")[0]:
        pytest.skip("the server writes no binlog")

    def followed(*statements: str, keys: dict[str, pa.Schema] | None = None, **options: Any) -> Followed:
        execute(connection, *statements)
        return Followed(connection, keys or {"t": ID}, **options)

    return followed
