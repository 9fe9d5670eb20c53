"""The way of the logs and spans, as `lake up` starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from tenacity import Retrying, stop_after_delay, wait_fixed

from lake.runtime import profiles, supervise
from lake.runtime.services import services
from lake.settings import PROJECT, settings

STARTED = ("opensearch", "shipper", "otel-collector")


@pytest.fixture(scope="package")
def logging(servers: None) -> Iterator[None]:
    """Started as people do, and stopped afterwards, unless they ran before."""
    if profiles.lacks(services()["otel-collector"]):
        pytest.skip("missing part: opensearch, java or otel-collector is not installed; `lake up observe` brings them")
    before = {name for name, process in supervise.processes().items() if process.state in supervise.ALIVE}
    command = [sys.executable, "-m", "lake.commands", "up", *STARTED]
    subprocess.run(command, cwd=PROJECT, env=dict(os.environ), check=True, timeout=400)
    settings.cache_clear()
    yield
    for name in set(STARTED) - before:
        supervise.stop_process(name)


def soon(holds: Callable[[], bool], seconds: int = 60) -> None:
    for attempt in Retrying(stop=stop_after_delay(seconds), wait=wait_fixed(0.5), reraise=True):
        with attempt:
            assert holds()
