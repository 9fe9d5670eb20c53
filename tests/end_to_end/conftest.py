"""One small shop, published once, serves all of these tests; each leaves lake and shop equal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.end_to_end.driving import lake
from tests.parts import collecting


@pytest.fixture(scope="session")
def published(platform: None) -> dict[str, Any]:
    """A small shop, loaded and published in full; the receipt."""
    lake("shop", "load", "--sample", "0.02")
    lake("run")
    return json.loads(lake("receipts", "--json"))[0]


@pytest.fixture(scope="session")
def collected(published: dict[str, Any]) -> Iterator[None]:
    """Logs and spans are taken to where they are found."""
    with collecting():
        yield


@pytest.fixture(scope="session")
def watched_run(collected: None) -> dict[str, Any]:
    """The receipt of a run that has changed something, so that every task and every engine is at work."""
    lake("shop", "tick", "--orders", "5", "--seed", "12")
    lake("run")
    found: dict[str, Any] = json.loads(lake("receipts", "--json"))[0]
    assert not found["unchanged_since"]
    return found
