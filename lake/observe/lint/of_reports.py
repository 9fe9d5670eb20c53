"""The reports (``lake/reports/definitions/``): metrics, dimensions and units that are there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lake.metrics.definitions import Metrics
from lake.mistakes import Mistake
from lake.reports import measured
from lake.reports.definition import read


def check(folder: Path, metrics: Metrics) -> Iterator[Mistake]:
    """Look through the definitions in a folder."""
    for file in sorted(folder.glob("*.yml")):
        report, wrong = read(file)
        if report is not None:
            wrong = measured.unknown(report, metrics, file)
        for each in wrong:
            yield Mistake(file, each.line, f"report {file.stem}: {each.what}")
