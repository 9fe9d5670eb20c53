"""Which metrics Prometheus is told of: ``infra/prometheus/business.yml``, read and judged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lake import mistakes
from lake.errors import LakeError, nearest
from lake.metrics.definitions import Metric, Metrics
from lake.mistakes import Mistake, Place
from lake.settings import PROJECT

FILE = PROJECT / "infra" / "prometheus" / "business.yml"
MOST = 20
"""Figures; Prometheus is no place for all metrics of the shop."""
SHAPE = "a figure looks like this: {metric: revenue}, or {metric: revenue, by: department}"


class Figure(BaseModel):
    """One metric.

    Attributes:
        by: what it is told by beside the whole; departments are few, and anything else may be many.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    by: Literal["department"] | None = None


class Declared(BaseModel):
    """All of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    figures: tuple[Figure, ...] = Field(min_length=1, max_length=MOST)

    @model_validator(mode="after")
    def _once(self) -> Self:
        names = [figure.metric for figure in self.figures]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} is there twice")
        return self


FIELDS: Mapping[str, tuple[str, ...]] = {"": (*Declared.model_fields, *Figure.model_fields)}


def read(file: Path = FILE) -> tuple[Declared | None, list[Mistake]]:
    """What the file declares; what is wrong with it, where it declares nothing. Names of metrics are not looked at."""
    _, wrong = mistakes.read(file)
    if wrong:
        return None, wrong
    try:
        return Declared.model_validate(yaml.safe_load(file.read_text("utf-8"))), []
    except ValidationError as error:
        return None, mistakes.at(file, mistakes.of_shape(error, FIELDS))


def unknown(declared: Declared, metrics: Metrics, file: Path = FILE) -> list[Mistake]:
    """Names that are no metric, and metrics that cannot be told by day or by department, at their lines."""
    return mistakes.at(file, _unknown(declared, {metric.name: metric for metric in metrics}))


def _unknown(declared: Declared, known: Mapping[str, Metric]) -> Iterable[tuple[Place, str]]:
    for number, (name, by) in enumerate((figure.metric, figure.by) for figure in declared.figures):
        place = ("figures", number)
        if name not in known:
            yield (*place, "metric"), f"there is no metric {name!r}; {nearest(name, known)}"
            continue
        metric = known[name]
        if metric.grain != "day":
            yield (*place, "metric"), f"metric {name} is known by {metric.grain}, not by day"
        if by and by not in metric.dimensions:
            yield (*place, "by"), f"metric {name} has no dimension {by!r}; {nearest(by, metric.dimensions)}"
        elif by and metric.formula.kind == "whole":
            yield (*place, "by"), f"metric {name} of departments does not make up that of the shop; leave `by` out"


def load(metrics: Metrics, file: Path = FILE) -> Declared:
    """The figures, all of which can be asked for.

    Raises:
        LakeError: file, line and the nearest name are told.
    """
    declared, wrong = read(file)
    if declared is not None:
        wrong = unknown(declared, metrics, file)
    if declared is None or wrong:
        raise LakeError("\n".join(map(str, wrong)), SHAPE)
    return declared


def sha256(file: Path = FILE) -> str:
    """Of the declaration as written: with another one, figures have to be computed anew."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
