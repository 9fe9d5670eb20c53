"""A database of a test's own on the primary, and the same as a source of the lake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pymysql
import pytest
from pydantic import SecretStr

from lake.contracts import Contract, draft
from lake.platform import storage
from lake.source import client, schema
from lake.source.sources import Source


@pytest.fixture
def origin(shop_database: tuple[str, int, str, str, str]) -> Iterator[Source]:
    """An empty database, read by its root."""
    host, port, user, password, name = shop_database
    yield Source(name=name, host=host, port=port, user=user, database=name, password=SecretStr(password))
    storage.delete_prefix(f"{storage.LANDING}/{name}")


@pytest.fixture
def connection(origin: Source) -> Iterator[pymysql.connections.Connection[Any]]:
    """A connection that writes to the database."""
    password = origin.password.get_secret_value()
    with closing(
        pymysql.connect(
            host=origin.host,
            port=origin.port,
            user=origin.user,
            password=password,
            database=origin.database,
            autocommit=True,
        )
    ) as opened:
        yield opened


@pytest.fixture
def run_sql(connection: pymysql.connections.Connection[Any]) -> Callable[..., list[tuple[Any, ...]]]:
    """Runs one statement and gives its rows."""

    def run(statement: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    return run


@pytest.fixture
def contract_of(origin: Source) -> Callable[[str], Contract]:
    """The contract that `lake add-table` drafts."""

    def make(table: str) -> Contract:
        with client.connected(origin) as reading:
            tables = schema.read_tables(reading, origin)
        drafts, refusals = draft.draft(tables, [table], "", [], origin.name)
        assert not refusals
        return Contract.model_validate({**drafts[table].contract, "source": origin.name})

    return make
