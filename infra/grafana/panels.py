"""The four forms that a panel has here, as Grafana's own builders make them.

``number`` is one figure now, ``bars`` a short list of figures by size, ``rows`` a table with pages, ``lines`` a course
over time. Every one is asked of a person with the same words: what it is called, in which unit, what it means and what
to do about it. The page of the observe profile draws these four; see ``lake/observe/page``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from grafana_foundation_sdk.builders import bargauge, common, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import DashboardLink, ThresholdsConfig
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

Panel: TypeAlias = stat.Panel | bargauge.Panel | table.Panel | timeseries.Panel

SOURCE = model.DataSourceRef(type_val="prometheus", uid="prometheus")
DISKS = '{fstype!~"ramfs|squashfs",mountpoint!~"/(run|dev|sys|proc)(/.*)?"}'
"""File systems that can fill up with what we write."""

NO_TASK = '0 * max(shoplake_exporter_up{collector="airflow"} == 1)'
"""None at work, where our exporter has looked; nothing where it has not, since nothing known is not none."""

LETTERS = "ABCDEFGH"
"""What Grafana calls the queries of a panel."""

GREEN, YELLOW, RED = "green", "yellow", "red"


class Query(NamedTuple):
    """What Prometheus is asked, and what each series of the answer is called (``{{label}}`` is its label)."""

    expr: str
    legend: str


@dataclass(frozen=True)
class Limits:
    """From which value on a figure is no longer well.

    Args:
        yellow, red: somebody should look, somebody must act; one of them may do.
        low_is_bad: whether it is the small values that are not well, as of free space.
    """

    yellow: float | None = None
    red: float | None = None
    low_is_bad: bool = False

    @property
    def steps(self) -> list[model.Threshold]:
        """As Grafana wants them: the colour from each value upwards, the first from minus infinity."""
        marks = [(value, colour) for value, colour in ((self.yellow, YELLOW), (self.red, RED)) if value is not None]
        if not self.low_is_bad:
            return [model.Threshold(value=value, color=colour) for value, colour in [(None, GREEN), *marks]]
        values = [value for value, _ in reversed(marks)]
        colours = [colour for _, colour in reversed(marks)]
        return [
            model.Threshold(value=value, color=colour)
            for value, colour in zip([None, *values], [*colours, GREEN], strict=True)
        ]


NOT_ONE = Limits(red=1)
"""Of what ought to be none."""

ALL = Limits(red=1, low_is_bad=True)
"""Of what is 1 when it is well, 0 when it is not."""

ANSWERS = {"1": ("yes", GREEN), "0": ("no", RED)}
"""What is said for the same."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        title: its heading.
        unit, limits: of its values, where they are numbers.
        words: what is shown in place of a value, with its colour.
    """

    title: str
    unit: str = "none"
    limits: Limits | None = None
    words: Mapping[str, tuple[str, str]] = field(default_factory=dict)


# -- one figure
def number(
    title: str,
    query: Query,
    *,
    unit: str,
    about: str,
    limits: Limits | None = None,
    leads_to: str | None = None,
    words: Mapping[str, tuple[str, str]] | None = None,
    empty: str = "",
    span: int = 4,
    decimals: int | None = None,
    course: bool = False,
) -> stat.Panel:
    """One figure now, or a few side by side.

    Args:
        leads_to: uid of the dashboard that tells more.
        words: what is shown in place of a value, with its colour.
        empty: what is shown where there is no such series, when that is a good thing.
        course: whether the last hours are drawn behind it.
    """
    panel = (
        stat.Panel()
        .title(title)
        .description(about)
        .datasource(SOURCE)
        .unit(unit)
        .span(span)
        .height(4)
        .with_target(_target(query, "A", instant=not course))
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.AREA if course else BigValueGraphMode.NONE)
        .thresholds(_thresholds(limits or Limits()))
    )
    if decimals is not None:
        panel = panel.decimals(decimals)
    if words:
        panel = panel.mappings([_words(words)])
    if empty:
        panel = panel.no_value(empty)
    if leads_to:
        panel = panel.links([leading_to(leads_to)])
    return panel


# -- a short list
def bars(
    title: str,
    query: Query,
    *,
    unit: str,
    about: str,
    limits: Limits | None = None,
    words: Mapping[str, tuple[str, str]] | None = None,
    maximum: float | None = None,
    span: int = 8,
    height: int = 8,
) -> bargauge.Panel:
    """A short list of figures, each with a bar; the query bounds and orders it."""
    panel = (
        bargauge.Panel()
        .title(title)
        .description(about)
        .datasource(SOURCE)
        .unit(unit)
        .span(span)
        .height(height)
        .with_target(_target(query, "A", instant=True))
        .orientation(VizOrientation.HORIZONTAL)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .min(0)
        .thresholds(_thresholds(limits or Limits()))
    )
    if words:
        panel = panel.mappings([_words(words)])
    return panel.max(maximum) if maximum is not None else panel


# -- a table
def rows(
    title: str,
    queries: Mapping[str, Column],
    *,
    labels: Mapping[str, str],
    about: str,
    sort_by: str,
    descending: bool = True,
    empty: str = "",
    span: int = 12,
    height: int = 8,
) -> table.Panel:
    """A table of one row a label set, in pages.

    Args:
        queries: expression by expression, the column that its value makes.
        labels: heading of each label that is shown, in order; a label that is not named is left out.
        sort_by: heading of the column that orders the rows.
        empty: what is shown where there is no row, when that is a good thing.
    """
    panel = (
        table.Panel()
        .title(title)
        .description(about)
        .datasource(SOURCE)
        .span(span)
        .height(height)
        .unit("none")
        .thresholds(_thresholds(Limits()))
        .footer(common.TableFooterOptions().enable_pagination(True).show(False).reducer([]))
        .sort_by([common.TableSortByFieldState().display_name(sort_by).desc(descending)])
        .filterable(True)
    )
    columns: dict[str, Column] = {}
    for letter, (expr, column) in zip(LETTERS, queries.items(), strict=False):
        panel = panel.with_target(_target(Query(expr, column.title), letter, instant=True, as_table=True))
        columns["Value" if len(queries) == 1 else f"Value #{letter}"] = column
    order = [*labels, *columns]
    panel = panel.with_transformation(model.DataTransformerConfig(id_val="merge", options={})).with_transformation(
        model.DataTransformerConfig(
            id_val="organize",
            options={
                "excludeByName": {name: True for name in ("Time", "__name__", "job", "instance") if name not in labels},
                "indexByName": {name: place for place, name in enumerate(order)},
                "renameByName": {**labels, **{name: column.title for name, column in columns.items()}},
            },
        )
    )
    for column in columns.values():
        panel = panel.override_by_name(column.title, _properties(column))
    return panel.no_value(empty) if empty else panel


def _properties(column: Column) -> list[model.DynamicConfigValue]:
    properties = [model.DynamicConfigValue(id_val="unit", value=column.unit)]
    if column.limits or column.words:
        properties.append(model.DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"}))
    if column.limits:
        steps = [{"value": step.value, "color": step.color} for step in column.limits.steps]
        properties.append(model.DynamicConfigValue(id_val="thresholds", value={"mode": "absolute", "steps": steps}))
    if column.words:
        mapping = {"type": "value", "options": _results(column.words)}
        properties.append(model.DynamicConfigValue(id_val="mappings", value=[mapping]))
    return properties


# -- a course
def lines(
    title: str,
    queries: Query | Sequence[Query],
    *,
    unit: str,
    about: str,
    limits: Limits | None = None,
    stacked: bool = False,
    from_zero: bool = True,
    maximum: float | None = None,
    span: int = 12,
    height: int = 8,
) -> timeseries.Panel:
    """A course over the chosen time, with a legend that tells the last and the greatest value.

    Args:
        limits: drawn as dashed lines.
        stacked: areas on top of each other, where their sum is meant.
        from_zero: whether the axis begins there; not where values may be negative.
        maximum: upper end of the axis, where there is one by nature.
    """
    asked = [queries] if isinstance(queries, Query) else queries
    panel = (
        timeseries.Panel()
        .title(title)
        .description(about)
        .datasource(SOURCE)
        .unit(unit)
        .span(span)
        .height(height)
        .line_width(1.5)
        .fill_opacity(60 if stacked else 8)
        .show_points(VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.TABLE)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs(["lastNotNull", "max"])
        )
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
        .thresholds(_thresholds(limits or Limits()))
    )
    for letter, query in zip(LETTERS, asked, strict=False):
        panel = panel.with_target(_target(query, letter))
    if from_zero:
        panel = panel.min(0)
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    if limits:
        panel = panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED))
    return panel.max(maximum) if maximum is not None else panel


# -- shared
def leading_to(uid: str) -> DashboardLink:
    """A link to another dashboard, over the same time."""
    return DashboardLink("More about it").url(f"/d/{uid}?${{__url_time_range}}").type(model.DashboardLinkType.LINK)


def _target(query: Query, letter: str, *, instant: bool = False, as_table: bool = False) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(letter).datasource(SOURCE)
    target = target.instant() if instant else target.range()
    return target.format(PromQueryFormat.TABLE if as_table else PromQueryFormat.TIME_SERIES)


def _thresholds(limits: Limits) -> ThresholdsConfig:
    return ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(limits.steps)


def _words(words: Mapping[str, tuple[str, str]]) -> model.ValueMap:
    results = {
        value: model.ValueMappingResult(text=text, color=colour, index=place)
        for place, (value, (text, colour)) in enumerate(words.items())
    }
    return model.ValueMap(options=results)


def _results(words: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    return {
        value: {"text": text, "color": colour, "index": place}
        for place, (value, (text, colour)) in enumerate(words.items())
    }
