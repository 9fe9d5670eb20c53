"""A world of servers for these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lake.runtime.services import KINDS
from tests.faults.case import Case
from tests.faults.world import World


@pytest.fixture(scope="session")
def world(server_kind: str) -> Iterator[World]:
    """Private servers, started once for each kind of source."""
    if server_kind not in KINDS:
        pytest.skip("a server that LAKE_TEST_SERVERS names is not ours to strike")
    made = World(server_kind)
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture
def case(world: World) -> Iterator[Case]:
    """An empty source database, and runs over it."""
    made = Case(world)
    try:
        yield made
    finally:
        world.revive()
        made.close()
