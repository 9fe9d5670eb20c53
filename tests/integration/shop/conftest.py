"""Building a small shop takes longer than loading it: each distinct one is built once for all tests here."""

from functools import lru_cache

import pytest

from lake.shop import load
from lake.shop.build import build

built_once = lru_cache(build)


@pytest.fixture(autouse=True)
def shops_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `load` take its tables from the cache; that building is repeatable is for the unit tests to show."""
    monkeypatch.setattr(load, "build", built_once)
