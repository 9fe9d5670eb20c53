"""The metrics as the dbt project defines them, in dbt's semantic layer.

The format is dbt's (https://docs.getdbt.com/docs/build/semantic-models); MetricFlow reads it. What Shoplake wants to
know besides stands in each metric's ``meta``: unit, owner, which way is good, and whether it is only a helper.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lake.errors import LakeError, nearest
from lake.layers import marts
from lake.metrics import check
from lake.metrics.formula import Formula, of_expression, of_measure

GRAINS = ("day", "week", "month", "quarter", "year")
"""Periods that a metric can be asked for by, from short to long."""

SCHEMA = "marts"


@dataclass(frozen=True)
class Metric:
    """What is known of a metric.

    Attributes:
        name, label, description: what it is called in commands and to people, and what it counts.
        unit, owner, good: one of `check.UNITS`, `check.OWNERS` and `check.DIRECTIONS`, which says what way is good.
        is_helper: whether it is there for others to be computed of, and nobody would ask for it.
        grain: the shortest period that it is known for.
        dimensions: what it can be split by.
        expression: how it is computed, of columns or of other metrics.
        formula: how its values of parts and of days become one.
        tables: qualified names of the marts that it is computed from.
    """

    name: str
    label: str
    description: str
    unit: str
    owner: str
    good: str
    is_helper: bool
    grain: str
    dimensions: tuple[str, ...]
    expression: str
    formula: Formula
    tables: tuple[str, ...]


class Metrics:
    """All metrics, by name.

    Args:
        manifest: as MetricFlow has parsed it.
    """

    def __init__(self, manifest: Any) -> None:
        self.manifest = manifest
        self._models = {model.name: model for model in manifest.semantic_models}
        self._measures = {
            measure.name: (model, measure) for model in self._models.values() for measure in model.measures
        }
        self._raw = {metric.name: metric for metric in manifest.metrics}
        self._metrics = {name: self._metric(raw) for name, raw in sorted(self._raw.items())}

    def __iter__(self) -> Iterator[Metric]:
        return iter(self._metrics.values())

    def get(self, name: str) -> Metric:
        """The metric of a name.

        Raises:
            LakeError: there is none; the nearest name is told.
        """
        if name not in self._metrics:
            raise LakeError(f"there is no metric {name!r}", f"{nearest(name, self._metrics)} `lake metric` lists all")
        return self._metrics[name]

    def inputs(self, metric: Metric) -> list[str]:
        """Names of the metrics that a metric's expression is made of; none of one that is a measure."""
        return [part.name for part in self._raw[metric.name].type_params.metrics or ()]

    def _metric(self, raw: Any) -> Metric:
        meta = raw.config.meta
        inputs = [self._measures[name] for name in self._measures_of(raw.name)]
        models = {model.name: model for model, _ in inputs}
        shared = set.intersection(*(_dimensions(model) for model in models.values()))
        return Metric(
            name=raw.name,
            label=raw.label or raw.name,
            description=raw.description or "",
            unit=meta["unit"],
            owner=meta["owner"],
            good=meta["good"],
            is_helper=meta.get("helper", False),
            grain=max((_grain(model) for model in models.values()), key=GRAINS.index),
            dimensions=tuple(sorted(shared)),
            expression=self._expression(raw),
            formula=self._formula(raw),
            tables=tuple(sorted(f"{SCHEMA}.{model.node_relation.alias}" for model in models.values())),
        )

    def _measures_of(self, name: str) -> Iterator[str]:
        params = self._raw[name].type_params
        if params.measure:
            yield params.measure.name
        for part in params.metrics or ():
            yield from self._measures_of(part.name)

    def _formula(self, raw: Any) -> Formula:
        measure = raw.type_params.measure
        if measure is not None:
            return of_measure(self._measures[measure.name][1].agg.value)
        inputs = {part.name: self._formula(self._raw[part.name]) for part in raw.type_params.metrics}
        return of_expression(str(raw.type_params.expr), inputs)

    def _expression(self, raw: Any) -> str:
        if raw.type_params.measure is None:
            return str(raw.type_params.expr)
        model, measure = self._measures[raw.type_params.measure.name]
        return f"{_how(measure)} of {measure.expr or measure.name} in {SCHEMA}.{model.node_relation.alias}"


def load() -> Metrics:
    """The metrics of this checkout. No service is asked.

    Raises:
        LakeError: a definition is wrong, or the dbt project cannot be parsed.
    """
    if mistakes := check.mistakes(marts.DBT):
        raise LakeError("\n".join(mistakes), "correct the definitions; docs/metrics.md tells of their format")
    # Imported here: MetricFlow takes seconds to import.
    from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest

    with tempfile.TemporaryDirectory(prefix="shoplake-") as folder:
        written = marts.semantic_manifest(Path(folder))
    return Metrics(parse_manifest_from_dbt_generated_manifest(written))


def _how(measure: Any) -> str:
    """What is done with the values of a measure, in words."""
    match measure.agg.value:
        case "count_distinct":
            return "count distinct"
        case "percentile":
            return f"exact {measure.agg_params.percentile * 100:g}th percentile"
        case other:
            return str(other)


def _dimensions(model: Any) -> set[str]:
    """Names of what a semantic model can be split by, time apart."""
    return {dimension.name for dimension in model.dimensions if dimension.type.value == "categorical"}


def _grain(model: Any) -> str:
    """The shortest period by which a semantic model's measures can be added up."""
    time = next(one for one in model.dimensions if one.name == model.defaults.agg_time_dimension)
    return str(time.type_params.time_granularity.value)
