"""A small shop on one of the suite's servers, and a lake of its own beside the suite's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.year.shop import Shop
from tests.year.world import World
from tests.year.year import SOURCE, WITH_HISTORY, Year

SEED = int(os.environ.get("LAKE_YEAR_SEED", "20250101"))


@pytest.fixture
def world(engines: None) -> Iterator[World]:
    """Object store and catalog of the year."""
    made = World()
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture
def year(world: World, server: Any, replica_port: int, shop_database: tuple[str, int, str, str, str]) -> Iterator[Year]:
    """The shop on its first day, with a contract for each table, and nothing in the lake."""
    shop = Shop(server, shop_database[-1], SEED)
    print(f"seed {SEED}, {server.kind}: LAKE_YEAR_SEED={SEED} tells the same year again", flush=True)
    shop.build()
    shop.do(f"GRANT SELECT, SHOW VIEW ON {shop.database}.* TO lake_reader")
    shop.settle()
    with world.active():
        made = Year(world, shop, datetime.now(UTC).replace(microsecond=0))
        made.read_from(shop.read_port)
        made.add(*shop.names)
        assert made.contract(WITH_HISTORY).parent.name == SOURCE
        try:
            yield made
        finally:
            made.engine.close()
