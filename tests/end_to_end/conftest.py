"""One small shop, published once, serves all of these tests; each leaves lake and shop equal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.end_to_end.driving import lake


@pytest.fixture(scope="session")
def published(platform: None) -> dict[str, Any]:
    """A small shop, loaded and published in full; the receipt."""
    lake("shop", "load", "--sample", "0.02")
    lake("run")
    return json.loads(lake("receipts", "--json"))[0]
