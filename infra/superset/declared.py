"""What ``boards.yml`` declares, read and judged: each chart is a form, a metric of the metric layer and a split.

What is wrong is told with the dashboard, the chart and the nearest name that there is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

import yaml

from infra.superset.listed import file_of, head_of, names
from infra.superset.sums import is_of_sums
from lake.errors import LakeError, nearest
from lake.metrics.definitions import GRAINS, Metric, Metrics

HERE = Path(__file__).resolve().parent
FILE = HERE / "boards.yml"

Form = Literal["number", "line", "columns", "bars", "heat", "listed"]
FORMS: tuple[str, ...] = get_args(Form)
COLUMNS = 12
WIDTHS = (3, 6)
"""Of charts: a phone shows half of the columns beside each other (dashboard.css)."""
MOST_CHARTS = 10
"""More of them nobody takes in at once, and each asks Trino."""
TOP = 10
SHOWN_GRAINS = ("day", "week", "month")


@dataclass(frozen=True)
class Chart:
    """One chart.

    Attributes:
        metric: what it draws; None of what is listed.
        check: name of a file in checks/ for what is listed, else "".
        by: a dimension of the metric; "" for none.
        grain: the period of a point; of a number, of the course behind it.
        top: how many bars.
        width: of twelve columns.
    """

    board: str
    form: Form
    metric: Metric | None
    check: str
    by: str
    grain: str
    top: int
    width: int

    @property
    def name(self) -> str:
        """What tells it from all others; its identity in Superset hangs on it."""
        subject = self.metric.name if self.metric else self.check
        return "_".join(filter(None, (self.board, self.form, subject, self.by)))

    @property
    def title(self) -> str:
        """What people read above it."""
        if self.metric is None:
            return head_of(self.check)[0]
        if self.form == "heat":
            return f"{self.metric.label} by {self.by.replace('_', ' ')}"
        return f"{self.metric.label}{' by ' + self.by.replace('_', ' ') if self.by else ''}"

    @property
    def command(self) -> str:
        """What gives the same figures in a shell, the chosen days apart."""
        if self.metric is None:
            return f"infra/superset/checks/{file_of(self.check).name}"
        by = f" --by {self.by}" if self.by else ""
        grain = f" --grain {self.grain}" if self.form in ("line", "columns", "heat") else ""
        return f"lake metric {self.metric.name}{by}{grain}"

    @property
    def description(self) -> str:
        """What people read at its (i)."""
        about = self.metric.description if self.metric else head_of(self.check)[1]
        return f"{about} The same figures: {self.command}"


@dataclass(frozen=True)
class Board:
    """One dashboard; its rows are from top to bottom, the charts of each from left to right."""

    slug: str
    title: str
    about: str
    period: str
    rows: tuple[tuple[Chart, ...], ...]

    @property
    def charts(self) -> list[Chart]:
        """All of them."""
        return [chart for row in self.rows for chart in row]


def read(metrics: Metrics, file: Path = FILE) -> list[Board]:
    """The dashboards.

    Raises:
        LakeError: the declaration is wrong.
    """
    boards = [_board(metrics, each) for each in yaml.safe_load(file.read_text("utf-8"))]
    all_names = [chart.name for board in boards for chart in board.charts]
    if twice := sorted({name for name in all_names if all_names.count(name) > 1}):
        raise LakeError(f"there is more than one chart {', '.join(twice)}", "let each dashboard draw a thing once")
    return boards


def marts_of(boards: Iterable[Board]) -> list[str]:
    """Names of the marts that the charts of some dashboards draw from."""
    tables = {table for board in boards for chart in board.charts if chart.metric for table in chart.metric.tables}
    return sorted(table.partition(".")[2] for table in tables)


def _board(metrics: Metrics, told: dict[str, Any]) -> Board:
    slug = told["slug"]
    rows = tuple(_row(metrics, slug, row) for row in told["rows"])
    if (count := sum(map(len, rows))) > MOST_CHARTS:
        raise LakeError(f"dashboard {slug} has {count} charts", f"show at most {MOST_CHARTS}")
    return Board(slug, told["title"], " ".join(told["about"].split()), told["period"], rows)


def _row(metrics: Metrics, slug: str, row: list[dict[str, Any]]) -> tuple[Chart, ...]:
    charts = tuple(_chart(metrics, slug, told, COLUMNS // len(row)) for told in row)
    if (used := sum(chart.width for chart in charts)) != COLUMNS:
        names = ", ".join(chart.name for chart in charts)
        raise LakeError(f"dashboard {slug}: a row is {used} columns wide ({names})", f"fill {COLUMNS}, by `width`")
    return charts


def _chart(metrics: Metrics, slug: str, told: dict[str, Any], width: int) -> Chart:
    form, subject = next(iter(told.items()))
    place = f"dashboard {slug}, {form} {subject}"
    if form not in FORMS:
        raise LakeError(f"dashboard {slug}: there is no form {form!r}", nearest(form, FORMS))
    for key in set(told) - {form, "by", "grain", "top", "width"}:
        raise LakeError(f"{place}: there is no {key!r}", nearest(key, ("by", "grain", "top", "width")))
    if (wide := told.get("width", width)) not in WIDTHS:
        raise LakeError(f"{place}: it is {wide} columns wide", f"a phone has room for {' or '.join(map(str, WIDTHS))}")
    if form == "listed":
        if subject not in names():
            raise LakeError(f"{place}: there is no such check", nearest(subject, names()))
        return Chart(slug, cast(Form, form), None, subject, "", "", 0, told.get("width", width))
    try:
        metric = metrics.get(subject)
    except LakeError as error:
        raise LakeError(f"dashboard {slug}: {error.what}", error.fix) from error
    by, grain = told.get("by", ""), told.get("grain", "")
    if by and by not in metric.dimensions:
        raise LakeError(f"{place}: the metric has no dimension {by!r}", nearest(by, metric.dimensions))
    if form in ("bars", "heat") and not by:
        raise LakeError(f"{place}: it is drawn by nothing", f"name a dimension: by: {metric.dimensions[0]}")
    if form in ("line", "columns", "heat") and not grain:
        raise LakeError(f"{place}: it has no grain", f"name one of {', '.join(SHOWN_GRAINS)}")
    if form == "number":
        grain = max("week", metric.grain, key=GRAINS.index)
    if grain:
        _check_grain(place, metric, grain)
    if not is_of_sums(metrics, metric) and form not in ("line", "columns"):
        raise LakeError(
            f"{place}: what it is in parts of a period does not make up the whole ({metric.expression})",
            "draw it as a line or as columns, of one grain",
        )
    return Chart(slug, cast(Form, form), metric, "", by, grain, told.get("top", TOP), told.get("width", width))


def _check_grain(place: str, metric: Metric, grain: str) -> None:
    if grain not in SHOWN_GRAINS:
        raise LakeError(f"{place}: there is no grain {grain!r}", nearest(grain, SHOWN_GRAINS))
    if GRAINS.index(grain) < GRAINS.index(metric.grain):
        raise LakeError(f"{place}: it is known by {metric.grain}, not by {grain}", f"take grain: {metric.grain}")
