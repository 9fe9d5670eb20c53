"""Parts that `make setup` does not bring, because not everybody needs them: whoever tests with one brings it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lake.errors import InstallError
from lake.runtime import supervise
from lake.runtime.artifacts import artifacts
from lake.runtime.install import ensure
from lake.settings import PROJECT, settings

COLLECTING = ("opensearch", "shipper", "otel-collector")
"""Services that take logs and spans to where they are found, and nothing else of the profile `observe`."""

OF_COLLECTING = ("java", "opensearch", "otel-collector")
START_SECONDS = 400


def part(name: str) -> Path:
    """The folder of a part; the test is skipped where this machine cannot have it."""
    try:
        ensure(name)
    except InstallError as error:
        pytest.skip(f"missing part: {name}: {error.what.splitlines()[0]}")
    return artifacts()[name].folder


@contextmanager
def collecting() -> Iterator[None]:
    """The way of logs and spans, started as people do, and stopped afterwards, unless it ran before."""
    for name in OF_COLLECTING:
        part(name)
    before = {name for name, process in supervise.processes().items() if process.state in supervise.ALIVE}
    command = [sys.executable, "-m", "lake.commands", "up", *COLLECTING]
    subprocess.run(command, cwd=PROJECT, env=dict(os.environ), check=True, timeout=START_SECONDS)
    settings.cache_clear()
    try:
        yield
    finally:
        for name in set(COLLECTING) - before:
            supervise.stop_process(name)
