"""Which metrics can be computed for any period and any part of the shop: those that are made of sums."""

from __future__ import annotations

from lake.metrics.definitions import Metric, Metrics


def parts(metrics: Metrics, metric: Metric) -> list[str]:
    """Names of the metrics of one measure that a metric is computed of; itself, if it is one."""
    inputs = metrics.inputs(metric)
    if not inputs:
        return [metric.name]
    return sorted({part for name in inputs for part in parts(metrics, metrics.get(name))})


def is_of_sums(metrics: Metrics, metric: Metric) -> bool:
    """Whether its own expression gives it from what can be added up."""
    return all(metrics.get(name).formula.kind == "sum" for name in parts(metrics, metric))
