"""A shop that lives at a steady rate, and how it ends: by itself, by Ctrl-C, and honestly on a slow machine."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pymysql.connections import Connection

from lake.settings import PROJECT
from lake.shop import acts
from lake.shop.acts import Act
from lake.shop.database import connect, exclusive, value
from lake.shop.load import load
from lake.shop.tick import live

ANCHOR = date(2026, 3, 1)

Address = tuple[str, int, str, str, str]


@pytest.fixture
def connection(shop_database: Address) -> Iterator[Connection[Any]]:
    opened = connect(*shop_database)
    load(opened, ANCHOR, seed=3, sample=0.01)
    yield opened
    opened.close()


def revenue(connection: Connection[Any]) -> Decimal:
    query = "SELECT SUM(sales_value) FROM order_items JOIN orders USING (order_id) WHERE status <> 'cancelled'"
    return Decimal(value(connection, query))


def orders(connection: Connection[Any]) -> int:
    connection.commit()
    return int(value(connection, "SELECT COUNT(*) FROM orders"))


def test_orders_come_steadily_each_committed_before_the_next_one(
    connection: Connection[Any], shop_database: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, money, start = orders(connection), revenue(connection), value(connection, "SELECT NOW(6)")
    seen: list[int] = []
    place = acts.place_order

    def watched(*arguments: Any) -> Act:
        seen.append(orders(other) - before)
        return place(*arguments)

    monkeypatch.setattr(acts, "place_order", watched)
    with connect(*shop_database) as other:
        lived = live(connection, rate=2, minutes=0.1, seed=5)

    assert lived.changes.orders_placed == 12
    assert lived.kept_up
    assert lived.seconds == pytest.approx(6, abs=1)
    assert seen == list(range(12))
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT SECOND(created_at) FROM orders WHERE created_at >= %s", (start,))
        assert len(cursor.fetchall()) >= 5
    assert revenue(connection) == money + lived.changes.revenue_placed - lived.changes.revenue_cancelled


def test_a_machine_that_cannot_keep_the_rate_ends_on_time_and_says_so(
    connection: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts, "place_order", _slowed(acts.place_order))
    lived = live(connection, rate=50, minutes=0.05, seed=5)
    assert not lived.kept_up
    assert 1 <= lived.changes.orders_placed <= 15
    assert lived.seconds == pytest.approx(3, abs=1)


def _slowed(act: Callable[..., Act]) -> Callable[..., Act]:
    def slow(*arguments: Any) -> Act:
        time.sleep(0.2)
        return act(*arguments)

    return slow


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_shop_keeps_and_tells_what_it_did(
    connection: Connection[Any], shop_database: Address, number: signal.Signals
) -> None:
    host, port, user, password, name = shop_database
    environment = {
        **os.environ,
        "LAKE_SHOP_HOST": host,
        "LAKE_SHOP_PORT": str(port),
        "LAKE_SHOP_USER": user,
        "LAKE_SHOP_PASSWORD": password,
        "LAKE_SOURCE_DATABASE": name,
        # The shop's own server is what the lake reads, so that nobody waits for the replica of another database.
        "LAKE_SOURCE_HOST": host,
        "LAKE_SOURCE_PORT": str(port),
    }
    before = orders(connection)
    command = [str(PROJECT / ".venv/bin/lake"), "shop", "tick", "--rate", "20", "--minutes", "10"]
    with subprocess.Popen(command, env=environment, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while orders(connection) < before + 20:
            assert time.monotonic() < deadline and process.poll() is None, "no orders came"
            time.sleep(0.1)
        process.send_signal(number)
        said, _ = process.communicate(timeout=30)

    assert process.returncode == 0
    (told,) = re.findall(r"orders placed\D+(\d+)", said)
    assert int(told) == orders(connection) - before >= 20
    assert re.search(rf"{told} orders in [\d.]+ s: [\d.]+ a second", said)
    with exclusive(connection, seconds=0):
        pass  # the shop's lock is free
