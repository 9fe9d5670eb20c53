"""What is wrong with the dashboards: what is stale, is not PromQL, or asks for what nobody serves."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from infra.grafana import known
from infra.grafana.expressions import Asked, asked, selectors
from infra.grafana.write import FOLDER, made, stale

BOARDS = Path(__file__).parent / "boards"


def problems() -> list[str]:
    """One line each, with the place and the way out."""
    old = [f"{FOLDER / name}: is not what infra/grafana/boards makes -> python -m infra.grafana" for name in stale()]
    return [*old, *(problem for dashboard in made().values() for problem in _of(dashboard))]


def _of(dashboard: dict[str, Any]) -> Iterator[str]:
    for question in asked(dashboard):
        try:
            found = selectors(question.expr)
        except ValueError as error:
            yield f"{_place(question, question.panel)}: {question.panel}: {question.expr} is not PromQL: {error}"
            continue
        for metric, labels in found:
            yield from _unknown(question, metric, labels)


def _unknown(question: Asked, metric: str, labels: frozenset[str]) -> Iterator[str]:
    names = known.metrics()
    if metric not in names:
        yield f"{_place(question, metric)}: nobody serves the metric {metric}{_nearest(metric, names)}"
        return
    theirs = names[metric]
    if theirs is not None:
        for label in sorted(labels - theirs - known.ADDED):
            yield f"{_place(question, metric)}: {metric} has no label {label}{_nearest(label, theirs)}"


def _nearest(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0)
    return f" -> {near[0]}?" if near else ""


def _place(question: Asked, text: str) -> str:
    """File and line where something stands: first in the dashboard's own module."""
    own = BOARDS / f"{question.dashboard.removeprefix('shoplake-')}.py"
    for number, line in enumerate(own.read_text().splitlines(), start=1):
        if text in line:
            return f"{own}:{number}"
    return str(own)
