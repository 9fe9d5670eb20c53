"""How long a statement may take, by what the server itself says of our connections."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from conftest import Server
from lake.errors import SourceError
from lake.settings import settings
from lake.source import client
from lake.source.client import fetch
from lake.source.sources import Source

LIMIT = {"mariadb": ("max_statement_time", 1), "mysql": ("max_execution_time", 1000)}
"""The variable, and how many of its units are a second."""
ENDLESS = "SELECT COUNT(*) FROM {0} a, {0} b, {0} c, {0} d".format("information_schema.collations")


@pytest.fixture
def limit_minutes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    def choose(minutes: int) -> None:
        monkeypatch.setenv("LAKE_TASK_TIMEOUT_MINUTES", str(minutes))
        settings.cache_clear()

    yield choose
    monkeypatch.undo()
    settings.cache_clear()


def _limit(origin: Source, kind: str) -> float:
    """Seconds."""
    variable, unit = LIMIT[kind]
    with client.connected(origin) as connection:
        (row,) = fetch(connection, f"SELECT @@{variable} AS value")
    return float(row["value"]) / unit


def test_no_statement_outlives_the_task_that_asked(
    origin: Source, server: Server, limit_minutes: Callable[[int], None]
) -> None:
    limit_minutes(7)
    assert _limit(origin, server.kind) == 7 * 60


def test_a_lower_limit_of_the_server_stays(
    origin: Source, server: Server, limit_minutes: Callable[[int], None], run_sql: Callable[..., list]
) -> None:
    variable, unit = LIMIT[server.kind]
    limit_minutes(7)
    try:
        run_sql(f"SET GLOBAL {variable} = {90 * unit}")
        assert _limit(origin, server.kind) == 90
        limit_minutes(1)
        assert _limit(origin, server.kind) == 60
    finally:
        run_sql(f"SET GLOBAL {variable} = DEFAULT")


def test_a_statement_that_takes_too_long_is_ended_by_the_server_and_named(origin: Source, server: Server) -> None:
    variable, unit = LIMIT[server.kind]
    with pytest.raises(SourceError, match="LAKE_TASK_TIMEOUT_MINUTES"), client.connected(origin) as connection:
        fetch(connection, f"SET SESSION {variable} = {unit}")
        fetch(connection, ENDLESS)
