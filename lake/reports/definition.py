"""What a report is: a YAML file with a title and figures. A figure shows metrics, or the rows of a query of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from string import Template
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from lake import mistakes
from lake.errors import LakeError, nearest
from lake.metrics.check import OWNERS
from lake.mistakes import Mistake
from lake.reports.periods import Grain, Period

DEFINITIONS = Path(__file__).parent / "definitions"

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "tiles": ("label", "unit", "value", "previous"),
    "line": ("date", "value"),
    "bar": ("label", "value"),
    "heatmap": ("row", "column", "value"),
    "table": (),
}
"""Columns that the query of a figure must return, by kind of figure. A table shows whatever comes."""

SHAPE = (
    "a report has name, title, description, currency, figures and, if it shows metrics, period; docs/reports.md tells "
    "what each kind of figure has"
)

Unit = Literal["money", "count", "share", "days", "hours", "stars", "position", "times"]
Against = Literal["before", "week", "year"]


def _known_parameters(query: str) -> str:
    unknown = sorted(set(Template(query).get_identifiers()) - {"as_of"})
    if unknown or not Template(query).is_valid():
        raise ValueError(f"the only parameter is $as_of, not {', '.join(unknown) or 'a lone $'}")
    return query


Query = Annotated[str, AfterValidator(_known_parameters)]
"""SQL for Trino. ``$as_of`` becomes a date literal: the day of the source instant, which is not over yet."""


def _known_owner(owner: str) -> str:
    if owner not in OWNERS:
        raise ValueError(f"{owner!r} is none of them; {nearest(owner, OWNERS)}")
    return owner


def bind(query: str, as_of: date) -> str:
    """The query with its parameter filled in.

    >>> bind("SELECT $as_of", date(2026, 11, 23))
    "SELECT DATE '2026-11-23'"
    """
    return Template(query).substitute(as_of=f"DATE '{as_of.isoformat()}'")


class _Figure(BaseModel):
    """What every figure has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    note: str = ""


class QueryFigure(_Figure):
    """The rows of a query.

    Attributes:
        kind: how the rows are shown; `COLUMNS` says which columns the query must return for it.
        unit: of the values; a share is 0 to 1.
        mean_days: for a line: also draw the mean of so many days.
    """

    kind: Literal["tiles", "line", "bar", "heatmap", "table"]
    unit: Unit = "count"
    mean_days: int = Field(default=0, ge=0)
    query: Query


class MetricsFigure(_Figure):
    """Metrics of the report's period, each beside the period before and the same one of last year."""

    kind: Literal["metrics"]
    metrics: tuple[str, ...] = Field(min_length=1)


class TrendFigure(_Figure):
    """A metric over the last ``periods`` periods, with the line of a year before."""

    kind: Literal["trend"]
    metric: str
    periods: int = Field(default=30, ge=2, le=400)


class BreakdownFigure(_Figure):
    """A metric by a dimension: the ``largest`` segments now, in the period before, and in the same one of last year."""

    kind: Literal["breakdown"]
    metric: str
    by: str
    largest: int = Field(default=8, ge=1, le=50)


class ChangesFigure(_Figure):
    """Which metrics changed most as against what is usual of them, and why.

    Attributes:
        metrics: that are looked at; all that the report names where none is.
        against: the period before, the same weekday of the week before (of days), or the same period of last year.
        most: how many are told.
    """

    kind: Literal["changes"]
    metrics: tuple[str, ...] = ()
    against: Against = "before"
    most: int = Field(default=3, ge=1, le=20)


class QualityFigure(_Figure):
    """What the receipt says of the data: how old they are, what was checked, what waits in quarantine or is held."""

    kind: Literal["quality"]


OfMetrics = MetricsFigure | TrendFigure | BreakdownFigure | ChangesFigure
Figure = Annotated[QueryFigure | OfMetrics | QualityFigure, Field(discriminator="kind")]


class Report(BaseModel):
    """A report, as its YAML file says.

    Attributes:
        currency: that its money is in.
        owner: who looks after it, one of `check.OWNERS`; the whole shop where none is named.
        period: that its metrics are of: the last one that is over.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    description: str
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    owner: Annotated[str, AfterValidator(_known_owner)] | None = None
    period: Grain | None = None
    figures: tuple[Figure, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> Report:
        names = [figure.name for figure in self.figures]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two figures are called {', '.join(twice)}")
        # Lineage calls both by their names alone.
        if clash := sorted(
            {figure.name for figure in self.figures if isinstance(figure, QueryFigure)} & {*named(self)}
        ):
            raise ValueError(f"the figure {clash[0]} is called like a metric of this report; call it otherwise")
        for figure in self.figures:
            if isinstance(figure, OfMetrics) and self.period is None:
                raise ValueError(f"figure {figure.name} shows metrics: name the report's period, day, week or month")
            if isinstance(figure, ChangesFigure) and figure.against == "week" and self.period != "day":
                raise ValueError(f"figure {figure.name}: only a day can be held against that of the week before")
        return self

    @property
    def figures_of_metrics(self) -> list[OfMetrics]:
        """Those that show metrics."""
        return [figure for figure in self.figures if isinstance(figure, OfMetrics)]

    @property
    def queries(self) -> list[str]:
        """The SQL that the file holds."""
        return [figure.query for figure in self.figures if isinstance(figure, QueryFigure)]

    def period_over(self, as_of: date) -> Period | None:
        """The period that it is about; None of a report without one."""
        return Period.over(self.period, as_of) if self.period else None


_KINDS = {
    kind: tuple(model.model_fields)
    for model in (QueryFigure, *get_args(OfMetrics), QualityFigure)
    for kind in get_args(model.model_fields["kind"].annotation)
}
_FIELDS: Mapping[str, tuple[str, ...]] = {"": tuple(Report.model_fields), **_KINDS}


def names(folder: Path = DEFINITIONS) -> list[str]:
    """Names of all reports, from their files."""
    return sorted(file.stem for file in folder.glob("*.yml"))


def named(report: Report) -> list[str]:
    """Names of the metrics of a report, in the order in which it names them."""
    return list(dict.fromkeys(name for figure in report.figures_of_metrics for _, name in metrics_of(figure)))


def metrics_of(figure: OfMetrics) -> Iterator[tuple[mistakes.Place, str]]:
    """The metrics that a figure names, and where in it."""
    if isinstance(figure, TrendFigure | BreakdownFigure):
        yield ("metric",), figure.metric
        return
    for place, name in enumerate(figure.metrics):
        yield ("metrics", place), name


def read(file: Path) -> tuple[Report | None, list[Mistake]]:
    """A report from its file; what is wrong with it, where it is none. Names of metrics are not looked at."""
    _, wrong = mistakes.read(file)
    if wrong:
        return None, wrong
    content: Any = yaml.safe_load(file.read_text("utf-8"))
    try:
        report = Report.model_validate(content)
    except ValidationError as error:
        return None, mistakes.at(file, mistakes.of_shape(error, _FIELDS, "figures"))
    if report.name != file.stem:
        said = f"holds the report {report.name!r}; name it {file.stem!r}, like its file"
        return None, mistakes.at(file, [(("name",), said)])
    return report, []


def file_of(name: str, folder: Path = DEFINITIONS) -> Path:
    """The file of a report.

    Raises:
        LakeError: there is none.
    """
    file = folder / f"{name}.yml"
    if not file.exists():
        raise LakeError(f"there is no report {name!r}", f"reports are: {', '.join(names(folder)) or 'none yet'}")
    return file


def load(name: str, folder: Path = DEFINITIONS) -> Report:
    """Read one report.

    Raises:
        LakeError: there is no such report, or its file is malformed; file, line and what was meant are named.
    """
    report, wrong = read(file_of(name, folder))
    if report is None:
        raise LakeError("\n".join(map(str, wrong)), SHAPE)
    return report
