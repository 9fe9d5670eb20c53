"""A replica that has diverged from its primary is found against the primary, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pymysql
import pytest
from typer.testing import CliRunner

from lake.commands.main import app
from lake.errors import LakeError, SourceError
from lake.shop.replica import committed, has_applied
from tests.faults.record import Tell
from tests.integration.parity.conftest import Town
from tests.numbers import numbers

APPLIED_SECONDS = 120


@pytest.fixture
def on_replica(town: Town, replica_port: int) -> Iterator[Callable[..., None]]:
    """Lets the town be read from its replica, and writes to that one alone; without statements waits for it."""
    primary, origin = town.origin, replace(town.origin, port=replica_port)
    login = {"user": primary.user, "password": primary.password.get_secret_value(), "autocommit": True}
    with closing(pymysql.connect(host=origin.host, port=origin.port, **login)) as replica:  # type: ignore[call-overload]
        town.origin = origin

        def write(*statements: str) -> None:
            assert has_applied(replica, committed(town.connection), APPLIED_SECONDS)
            with replica.cursor() as cursor:
                cursor.execute(f"USE {primary.database}")
                cursor.execute("SET SESSION sql_log_bin = 0")
                for statement in statements:
                    cursor.execute(statement)

        town.do(
            "CREATE TABLE orders (id INT PRIMARY KEY, status VARCHAR(20))",
            "CREATE TABLE stores (code VARCHAR(10) PRIMARY KEY, name VARCHAR(40))",
            f"INSERT INTO orders SELECT seq, 'new' FROM {numbers(1, 12_000)}",
            "INSERT INTO stores VALUES ('a', 'A street')",
        )
        write()
        yield write


def _changed(found: Any) -> list[Any]:
    return sorted(key for row in found.drift.keys.to_pylist() for key in row.values())


@pytest.mark.fault("replica_diverged")
def test_rows_that_only_the_replica_has_changed(town: Town, on_replica: Callable[..., None], tell: Tell) -> None:
    on_replica("UPDATE orders SET status = 'lost' WHERE id IN (5, 11000)", "DELETE FROM orders WHERE id = 6000")
    town.contract("orders")
    town.contract("stores")
    town.run()
    assert all(one.is_equal for one in town.sweep().values())
    found = town.sweep("primary")
    assert _changed(found["orders"]) == [5, 6000, 11000]
    assert found["stores"].is_equal
    tell("3 of 12,000 rows named by their keys, against the primary alone; no other table blamed")


def test_a_busy_primary_has_not_diverged(town: Town, on_replica: Callable[..., None]) -> None:
    town.contract("orders")
    town.contract("stores")
    town.run()
    town.do(
        "UPDATE orders SET status = 'paid' WHERE id % 5 = 0",
        "DELETE FROM orders WHERE id % 100 = 1",
        "INSERT INTO orders VALUES (20000, 'new')",
        "UPDATE stores SET code = 'A'",
    )
    assert all(one.is_equal for one in town.sweep("primary").values())


def test_a_server_without_a_primary(town: Town) -> None:
    town.do("CREATE TABLE stores (code VARCHAR(10) PRIMARY KEY)")
    town.contract("stores")
    town.run()
    with pytest.raises(SourceError, match="has 0 primaries"):
        town.sweep("primary")


def test_a_repair_does_not_read_the_primary() -> None:
    said = CliRunner().invoke(app, ["parity", "--repair", "--against", "primary"])
    assert isinstance(said.exception, LakeError)
