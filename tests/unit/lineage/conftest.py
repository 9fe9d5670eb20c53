"""The lineage of the lake as it is, which takes seconds to read."""

from __future__ import annotations

import pytest

from lake.contracts import load_all
from lake.lineage import build
from lake.lineage.graph import Graph


@pytest.fixture(scope="session")
def graph() -> Graph:
    return Graph(build.made(load_all(["shop"]), has_marts=True))
