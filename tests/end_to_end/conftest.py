"""One small shop, published once, serves all of these tests; each leaves lake and shop equal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from lake.runtime import profiles, supervise
from lake.runtime.services import services
from lake.settings import PROJECT, settings
from tests.end_to_end.driving import lake

COLLECTING = ("opensearch", "shipper", "otel-collector")


@pytest.fixture(scope="session")
def published(platform: None) -> dict[str, Any]:
    """A small shop, loaded and published in full; the receipt."""
    lake("shop", "load", "--sample", "0.02")
    lake("run")
    return json.loads(lake("receipts", "--json"))[0]


@pytest.fixture(scope="session")
def collected(published: dict[str, Any]) -> Iterator[None]:
    """What takes spans and logs to where they are found, and nothing else of the profile `observe`."""
    if profiles.lacks(services()["otel-collector"]):
        pytest.skip("missing part: opensearch, java or otel-collector is not installed; `lake up observe` brings them")
    before = {name for name, process in supervise.processes().items() if process.state in supervise.ALIVE}
    command = [sys.executable, "-m", "lake.commands", "up", *COLLECTING]
    subprocess.run(command, cwd=PROJECT, env=dict(os.environ), check=True, timeout=400)
    settings.cache_clear()
    yield
    for name in set(COLLECTING) - before:
        supervise.stop_process(name)


@pytest.fixture(scope="session")
def watched_run(collected: None) -> dict[str, Any]:
    """The receipt of a run that has changed something, so that every task and every engine is at work."""
    lake("shop", "tick", "--orders", "5", "--seed", "12")
    lake("run")
    found: dict[str, Any] = json.loads(lake("receipts", "--json"))[0]
    assert not found["unchanged_since"]
    return found
