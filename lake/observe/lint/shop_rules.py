"""The rules of the shop (``lake/alerts/rules.yml``): metrics and dimensions that are there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lake.alerts.judge import known
from lake.alerts.rules import MetricRule, load
from lake.errors import LakeError
from lake.metrics.definitions import Metrics
from lake.mistakes import Mistake, line_of, read


def check(file: Path, metrics: Metrics) -> Iterator[Mistake]:
    """Look through a file of rules.

    Raises:
        LakeError: the file itself is malformed.
    """
    document, _ = read(file)
    for entry, rule in zip(document["rules"], load(file), strict=True):
        if isinstance(rule, MetricRule):
            try:
                known(rule, metrics)
            except LakeError as error:
                yield Mistake(file, line_of(entry, "metric"), f"rule {rule.name}: {error.what}; {error.fix}")
