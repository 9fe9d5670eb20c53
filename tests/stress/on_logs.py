"""Faults of the way of the logs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from lake.logs.span_folder import folder
from lake.runtime import supervise
from lake.settings import settings
from tests.stress.stage import Stage, start

PARTS = ("opensearch", "shipper", "otel-collector")
LINES = 120_000
"""More than half of what the collector's queue holds."""


@contextmanager
def piling_up(stage: Stage) -> Iterator[None]:
    """OpenSearch is away, and a service logs a great deal."""
    file = settings().home / "logs" / "stress.log"
    supervise.stop_process("opensearch")
    try:
        with file.open("w") as stream:
            for number in range(LINES):
                stream.write(f"2026-11-26 05:20:59.873 UTC [1] LOG:  line {number}\n")
        yield
    finally:
        start("opensearch")
        file.unlink()


@contextmanager
def refused(stage: Stage) -> Iterator[None]:
    """A file of spans has lines that are none, as when the disk was full while one was written."""
    file = folder() / f"spans-{datetime.now(UTC):%Y-%m-%d}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as stream:
        stream.write('{"resourceSpans": [{"sco\n' * 3)
    yield
