"""What is wrong with the definitions of metrics, told with file, line and the nearest name that there is.

dbt and MetricFlow look at the same files, but a column that there is not is only met by Trino, and neither of them says
where a mistake stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlglot
from ruamel.yaml import YAML
from sqlglot import exp

from lake.errors import nearest

UNITS = ("money", "count", "share", "days", "hours", "stars", "position", "times")
OWNERS = ("finance", "marketing", "merchandising", "operations", "sales")
"""Departments, as the shop's contracts name them."""
DIRECTIONS = ("up", "down", "neither")

REF = re.compile(r"""^ref\(['"](\w+)['"]\)$""")


@dataclass(frozen=True)
class Place:
    """Where something stands."""

    file: Path
    line: int

    def mistake(self, said: str, name: str, known: Iterable[str]) -> str:
        """A line about a name that is not one of those that there are."""
        return f"{self.file}:{self.line}: {said}; {nearest(name, known)}"


def mistakes(project: Path) -> list[str]:
    """What is wrong with the metrics of a dbt project, a line each.

    Args:
        project: its folder. Models have their columns in ``models/marts/**/*.yml``, metrics and semantic models stand
            in ``models/metrics/*.yml``.
    """
    columns = {
        model["name"]: {column["name"] for column in model.get("columns", ())}
        for file in sorted((project / "models" / "marts").rglob("*.yml"))
        for model in _read(file).get("models", ())
    }
    files = {
        file.relative_to(project.parent): _read(file) for file in sorted((project / "models" / "metrics").glob("*.yml"))
    }
    measures = {
        measure["name"]
        for document in files.values()
        for model in document.get("semantic_models", ())
        for measure in model.get("measures", ())
    }
    defined = [metric for document in files.values() for metric in document.get("metrics", ())]
    metrics = {metric["name"] for metric in defined}
    used = {part["name"] for metric in defined for part in metric.get("type_params", {}).get("metrics", ())}
    found: list[str] = []
    for file, document in files.items():
        for model in document.get("semantic_models", ()):
            found += _of_model(file, model, columns)
        for metric in document.get("metrics", ()):
            found += _of_metric(file, metric, measures, metrics, used)
    return found


def _of_model(file: Path, model: Any, columns: dict[str, set[str]]) -> Iterator[str]:
    place, name = _place(file, model), model["name"]
    referred = REF.match(str(model["model"]))
    if not referred or referred[1] not in columns:
        asked = referred[1] if referred else str(model["model"])
        yield place.mistake(f"semantic model {name} is of {asked!r}, which is no mart", asked, columns)
        return
    known = columns[referred[1]]
    for measure in model.get("measures", ()):
        yield from _of_aggregation(_place(file, measure), measure, name)
    for kind in ("dimensions", "measures"):
        for part in model.get(kind, ()):
            for column in _columns(str(part.get("expr", part["name"]))):
                if column not in known:
                    said = f"{part['name']} of semantic model {name}: {referred[1]} has no column {column!r}"
                    yield _place(file, part).mistake(said, column, sorted(known))


def _of_aggregation(place: Place, measure: Any, model: str) -> Iterator[str]:
    """Percentiles are exact, because a figure must come out the same when it is computed again."""
    said, asked = f"{place.file}:{place.line}: {measure['name']} of semantic model {model}", measure.get("agg")
    if asked == "median":
        yield f"{said} has the agg 'median'; say percentile, and percentile: 0.5 in agg_params"
    if asked != "percentile":
        return
    params = measure.get("agg_params", {})
    rank = params.get("percentile")
    if isinstance(rank, bool) or not isinstance(rank, int | float) or not 0 < rank < 1:
        yield f"{said} has the percentile {rank!r}; say one between 0 and 1 in agg_params"
    if params.get("use_discrete_percentile") is not True or params.get("use_approximate_percentile"):
        yield f"{said} is no exact percentile; say use_discrete_percentile: true in agg_params, and no approximate one"


def _of_metric(file: Path, metric: Any, measures: set[str], metrics: set[str], used: set[str]) -> Iterator[str]:
    place, name = _place(file, metric), metric["name"]
    params = metric.get("type_params", {})
    measure = params.get("measure")
    if measure is not None and str(measure) not in measures:
        yield place.mistake(f"metric {name}: there is no measure {str(measure)!r}", str(measure), sorted(measures))
    inputs = {part["name"] for part in params.get("metrics", ())}
    for part in sorted(inputs - metrics):
        yield place.mistake(f"metric {name}: there is no metric {part!r}", part, sorted(metrics))
    for column in sorted(_columns(str(params["expr"])) - inputs) if "expr" in params else ():
        yield place.mistake(
            f"metric {name}: its expr names {column!r}, which is not one of its metrics", column, sorted(inputs)
        )
    meta = metric.get("config", {}).get("meta", {})
    for what, known in (("unit", UNITS), ("owner", OWNERS), ("good", DIRECTIONS)):
        if meta.get(what) not in known:
            said = f"metric {name} has the {what} {meta[what]!r}" if what in meta else f"metric {name} has no {what}"
            yield place.mistake(said, str(meta.get(what, "")), known)
    if "helper" not in meta:
        return
    if meta["helper"] is not True:
        yield f"{place.file}:{place.line}: metric {name} has the helper {meta['helper']!r}; say true, or leave it out"
    elif name not in used:
        yield f"{place.file}:{place.line}: metric {name} is a helper, but no metric is computed of it; leave helper out"


def _columns(expression: str) -> set[str]:
    """Names of the columns in an expression of Trino's SQL."""
    parsed = sqlglot.parse_one(expression, dialect="trino")
    return {column.name for column in parsed.find_all(exp.Column)}


def _read(file: Path) -> Any:
    return YAML(typ="rt").load(file.read_text("utf-8"))


def _place(file: Path, node: Any) -> Place:
    return Place(file, node.lc.line + 1)
