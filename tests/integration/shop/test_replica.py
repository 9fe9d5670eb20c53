"""Waiting for a replica, as far as one server can show it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from pymysql.connections import Connection

from lake.errors import SourceError
from lake.settings import Settings
from lake.shop import replica
from lake.shop.database import connect, value

Address = tuple[str, int, str, str, str]


@pytest.fixture
def connection(shop_database: Address) -> Iterator[Connection[Any]]:
    opened = connect(*shop_database)
    yield opened
    opened.close()


def source_at(address: Address, port: int) -> Settings:
    """Settings whose source is that server's ``port``, and whose shop is elsewhere by its address."""
    host, _, user, password, database = address
    return Settings(
        shop_host="elsewhere.invalid",
        source_host=host,
        source_port=port,
        source_user=user,
        source_password=SecretStr(password),
        source_database=database,
    )


def test_the_same_server_under_another_name_needs_no_wait(
    connection: Connection[Any], shop_database: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "settings", lambda: source_at(shop_database, shop_database[1]))
    assert replica.wait_for_replica(connection) == 0.0


def test_a_replica_that_is_away(
    connection: Connection[Any], shop_database: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "settings", lambda: source_at(shop_database, 1))
    with pytest.raises(SourceError, match="LAKE_SOURCE_HOST and LAKE_SOURCE_PORT"):
        replica.wait_for_replica(connection)


def test_a_position_that_never_comes(connection: Connection[Any]) -> None:
    is_mariadb = "MariaDB" in str(value(connection, "SELECT VERSION()"))
    never = "77-999-123456" if is_mariadb else "00000000-0000-4000-8000-000000000001:1"
    assert not replica.has_applied(connection, never, timeout_seconds=1)
