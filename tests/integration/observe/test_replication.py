"""A replica that stands, receives nothing, or is away: as its servers tell it, of both kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pymysql
import pytest
from pydantic import SecretStr
from pymysql.connections import Connection
from tenacity import Retrying, stop_after_delay, wait_fixed

from conftest import Server
from lake.observe.replication import Replications
from lake.source import client
from lake.source.detection import detect
from lake.source.sources import Source

PATIENCE_SECONDS = 60
Told = Callable[..., dict[tuple[str, ...], float]]


def _open(server: Server, port: int) -> Connection[Any]:
    return pymysql.connect(host=server.host, port=port, user=server.user, password=server.password, autocommit=True)


@pytest.fixture
def source(server: Server, replica_port: int, shop_database: tuple[str, int, str, str, str]) -> Source:
    """A database on the replica."""
    name = shop_database[-1]
    return Source(name, server.host, replica_port, server.user, name, SecretStr(server.password))


@pytest.fixture
def primary(server: Server, source: Source) -> Iterator[Callable[[int], None]]:
    """Commits a number of transactions on the primary."""
    with closing(_open(server, server.port)) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {source.database}.t (n INT PRIMARY KEY AUTO_INCREMENT)")

        def commit(count: int) -> None:
            for _ in range(count):
                cursor.execute(f"INSERT INTO {source.database}.t VALUES (NULL)")

        yield commit


@pytest.fixture
def replica(server: Server, replica_port: int) -> Iterator[Callable[[str], None]]:
    """Runs a statement on the replica, which replicates again afterwards."""
    with closing(_open(server, replica_port)) as connection, connection.cursor() as cursor:
        yield lambda statement: cursor.execute(statement) and None
        cursor.execute("START REPLICA")


class Clock:
    """Goes on when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told(server: Server, source: Source, clock: Clock) -> Told:
    """What is told of the source, by name and thread; with its primary where that is known."""
    asked = Replications(clock)

    def tell(knows_primary: bool = True) -> dict[tuple[str, ...], float]:
        primary = replace(source, port=server.port) if knows_primary else None
        found = asked.of_source(source, primary)
        return {
            (sample.metric.name.removeprefix("shoplake_"), *sample.labels[1:]): sample.value
            for sample in found
            if sample.labels[0] == source.name
        }

    return tell


def until(told: Told, wanted: Callable[[dict[tuple[str, ...], float]], bool], **how: bool) -> dict[Any, float]:
    """What is told as soon as it is as wanted; a moment passes between a commit and its replication."""
    for attempt in Retrying(stop=stop_after_delay(PATIENCE_SECONDS), wait=wait_fixed(0.2), reraise=True):
        with attempt:
            found = told(**how)
            assert wanted(found), found
    return found


LEVEL = {
    ("source_up",): 1,
    ("replication_running", "io"): 1,
    ("replication_running", "sql"): 1,
    ("replication_lag_seconds",): 0,
    ("replication_lag_transactions",): 0,
}


def _is_level(found: dict[tuple[str, ...], float]) -> bool:
    return found == LEVEL


@pytest.mark.parametrize("knows_primary", [True, False], ids=["both", "replica alone"])
def test_a_replica_that_is_level(told: Told, primary: Callable[[int], None], knows_primary: bool) -> None:
    primary(3)
    until(told, _is_level, knows_primary=knows_primary)


def test_an_applier_that_stands(
    told: Told, primary: Callable[[int], None], replica: Callable[[str], None], clock: Clock
) -> None:
    until(told, _is_level)
    replica("STOP REPLICA SQL_THREAD")
    primary(7)
    assert told() == {**LEVEL, ("replication_running", "sql"): 0, ("replication_lag_transactions",): 7}
    clock.now += 90
    primary(1)
    found = told()
    assert (found["replication_lag_seconds",], found["replication_lag_transactions",]) == (90, 8)
    replica("START REPLICA")
    until(told, _is_level)


def test_a_receiver_that_stands(
    told: Told, primary: Callable[[int], None], replica: Callable[[str], None], clock: Clock
) -> None:
    until(told, _is_level)
    replica("STOP REPLICA IO_THREAD")
    primary(5)
    told()
    clock.now += 30
    found = told()
    assert found["replication_running", "io"] == 0
    assert (found["replication_lag_seconds",], found["replication_lag_transactions",]) == (30, 5)


def test_a_replica_alone_tells_what_it_has_received(
    told: Told, primary: Callable[[int], None], replica: Callable[[str], None]
) -> None:
    until(told, _is_level, knows_primary=False)
    replica("STOP REPLICA SQL_THREAD")
    primary(4)
    found = until(told, lambda found: found["replication_lag_transactions",] == 4, knows_primary=False)
    assert ("replication_lag_seconds",) not in found


def test_a_primary_is_no_replica(server: Server, source: Source) -> None:
    with client.connected(replace(source, port=server.port), 5) as connection:
        assert detect(connection).replication(connection) == []
    found = Replications().of_source(replace(source, port=server.port))
    assert [(sample.metric.name, sample.value) for sample in found] == [("shoplake_source_up", 1)]


def test_a_source_that_is_away(source: Source) -> None:
    for wrong in (replace(source, port=1), replace(source, password=SecretStr("wrong"))):
        (sample,) = Replications().of_source(wrong)
        assert (sample.metric.name, sample.value) == ("shoplake_source_up", 0)
