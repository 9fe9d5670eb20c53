"""The figures of one state of the lake, by day: computed, kept in the object store, and read again."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from lake.errors import LakeError, ServiceError
from lake.metrics.ask import Span
from lake.metrics.definitions import Metric, Metrics
from lake.metrics.series import Segment, Series
from lake.observe.bounds import OTHER
from lake.observe.business.declared import Declared
from lake.platform import storage

log = logging.getLogger(__name__)

ADDRESS = f"{storage.AUDIT}/observe/business.json"
DAYS = 35
"""That are looked at: what has nothing newer tells nothing."""
MOST_DEPARTMENTS = 30
"""That are told by name, the largest; the others are `OTHER` together."""
BY = ("department",)

Ask = Callable[[Sequence[Metric], Segment, Sequence[Span]], Mapping[str, Series]]
"""Metrics of the same marts, dimensions, and the days that count in; their series by day, by name, out."""

ByDay = dict[str, str]
"""A decimal as text, so that none is rounded, by day (ISO 8601). A day of which nothing is known is not in it."""


@dataclass(frozen=True)
class Of:
    """What figures are of: of the same they are the same.

    Attributes:
        lake_commit: that was asked.
        last: the day (UTC) as of which the shop was read, which was not over.
        declared: hash of what was declared.
    """

    lake_commit: str
    last: str
    declared: str


@dataclass(frozen=True)
class Figures:
    """The figures.

    Attributes:
        whole: of the shop, by metric and day.
        departments: by metric, department and day.
    """

    of: Of
    whole: dict[str, ByDay] = field(default_factory=dict)
    departments: dict[str, dict[str, ByDay]] = field(default_factory=dict)


def compute(of: Of, declared: Declared, metrics: Metrics, ask: Ask) -> Figures:
    """Ask the lake. What it refuses to say of some marts leaves out their metrics, and no others.

    Raises:
        ServiceError: Trino does not answer.
    """
    last = date.fromisoformat(of.last)
    days = [last - timedelta(days=back) for back in range(DAYS, -1, -1)]
    found = Figures(of)
    for by in ((), BY):
        for group in _groups(declared, metrics, by):
            try:
                asked = ask(group, by, [(days[0], last)])
            except ServiceError:
                raise
            except LakeError as error:
                log.warning("%s: %s", ", ".join(metric.name for metric in group), error)
                continue
            for name, series in asked.items():
                if by:
                    found.departments[name] = _departments(series, days)
                else:
                    found.whole[name] = _by_day(series, [()], days)
    return found


def _groups(declared: Declared, metrics: Metrics, by: Segment) -> list[list[Metric]]:
    """The metrics that are asked for by something, those of the same marts together."""
    groups: dict[tuple[str, ...], list[Metric]] = defaultdict(list)
    for figure in declared.figures:
        if not by or figure.by in by:
            metric = metrics.get(figure.metric)
            groups[metric.tables].append(metric)
    return list(groups.values())


def _departments(series: Series, days: Sequence[date]) -> dict[str, ByDay]:
    largest = series.largest(MOST_DEPARTMENTS, days)
    found = {name: _by_day(series, [(name,)], days) for (name,) in largest}
    if others := [segment for segment in series.amounts if segment not in largest]:
        found[OTHER] = _by_day(series, others, days)
    return found


def _by_day(series: Series, segments: Sequence[Segment], days: Sequence[date]) -> ByDay:
    known = {day for segment in segments for day in series.amounts.get(segment, {})}
    values: dict[date, Decimal | None] = {day: series.of(segments, [day]).value for day in days if day in known}
    return {day.isoformat(): str(value) for day, value in values.items() if value is not None}


def keep(figures: Figures) -> None:
    """Keep them in place of the ones before."""
    storage.put(ADDRESS, json.dumps(asdict(figures), indent=1).encode(), "application/json")


def kept() -> Figures | None:
    """Those that were computed last; None before the first ones."""
    try:
        told = json.loads(storage.get(ADDRESS))
    except FileNotFoundError:
        return None
    return Figures(Of(**told["of"]), told["whole"], told["departments"])
