"""What Prometheus is told of the business (``infra/prometheus/business.yml``): metrics and splits that are there."""

from __future__ import annotations

from pathlib import Path

from lake.metrics.definitions import Metrics
from lake.mistakes import Mistake
from lake.observe.business import declared


def check(file: Path, metrics: Metrics) -> list[Mistake]:
    """Look through the declaration."""
    found, wrong = declared.read(file)
    return wrong if found is None else declared.unknown(found, metrics, file)
