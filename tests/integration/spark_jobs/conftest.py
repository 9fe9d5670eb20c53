"""A Spark session, and branches to clean on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lake.contracts import Contract
from tests.integration.spark_jobs.branch import Branch

Opener = Callable[..., Branch]


@pytest.fixture
def spark(platform: None) -> Iterator[Any]:
    """A session of the test's own."""
    from spark_jobs.session import connect, disconnect

    session = connect()
    yield session
    disconnect(session)


@pytest.fixture
def open_branch(spark: Any) -> Iterator[Opener]:
    """Called with contracts, and perhaps ``in_memory``: a branch with such tables, empty."""
    opened: list[Branch] = []

    def opener(*contracts: Contract, in_memory: bool = False) -> Branch:
        opened.append(Branch(spark, {contract.table: contract for contract in contracts}, in_memory))
        return opened[-1]

    yield opener
    for branch in opened:
        branch.drop()
