"""A chart in the words of Superset's own forms."""

from __future__ import annotations

from typing import Any

from infra.superset.declared import Board, Chart
from infra.superset.statements import AT
from lake.metrics.definitions import Metric

GRAINS = {"day": "P1D", "week": "P1W", "month": "P1M"}
"""ISO 8601, as Superset names them. Weeks begin on Monday, as everywhere else in the lake."""
PALETTE = "shoplake"
BLUE = {"r": 37, "g": 99, "b": 168, "a": 1}
FORMATS = {
    "money": ("$,.0f", "$,.2f"),
    "share": (".1%", ".1%"),
    "count": (",.0f", ",.2f"),
    "days": (",.1f", ",.1f"),
    "hours": (",.1f", ",.1f"),
    "stars": (".2f", ".2f"),
    "position": (".1f", ".1f"),
    "times": (".2f", ".2f"),
}
"""How a figure is written, by its metric's unit: of a sum, and of a quotient. Sums are written out: they are exact."""
AXIS = {"money": "$.3~s", "count": ".3~s"}
"""Beside a chart there is no room for all digits."""
VIZ = {
    "number": "big_number",
    "line": "echarts_timeseries_line",
    "columns": "echarts_timeseries_bar",
    "bars": "echarts_timeseries_bar",
    "heat": "heatmap_v2",
    "listed": "table",
}


def viz_type(chart: Chart) -> str:
    """What Superset calls the chart's form."""
    return VIZ[chart.form]


def figure_format(metric: Metric) -> str:
    """How a figure of the metric is written, in d3's notation."""
    of_sum, of_quotient = FORMATS[metric.unit]
    return of_sum if metric.formula.kind == "sum" or not metric.expression.count("/") else of_quotient


def params(board: Board, chart: Chart) -> dict[str, Any]:
    """The chart's settings."""
    if chart.metric is None:
        return {"annotation_layers": [], **_listed()}
    period = {
        "clause": "WHERE",
        "comparator": board.period,
        "expressionType": "SIMPLE",
        "operator": "TEMPORAL_RANGE",
        "subject": AT,
    }
    shared = {"adhoc_filters": [period], "color_scheme": PALETTE, "annotation_layers": []}
    match chart.form:
        case "number":
            return shared | _number(board, chart, chart.metric)
        case "heat":
            return shared | _heat(chart, chart.metric)
        case "bars":
            return shared | _bars(chart, chart.metric)
        case _:
            return shared | _course(chart, chart.metric)


def _number(board: Board, chart: Chart, metric: Metric) -> dict[str, Any]:
    return {
        "metric": metric.name,
        "x_axis": AT,
        "time_grain_sqla": GRAINS[chart.grain],
        # Of the period as a whole, asked for beside the course: what is last of that is a week that is not over.
        "aggregation": "raw",
        "show_trend_line": True,
        "start_y_axis_at_zero": metric.formula.kind == "sum",
        "subtitle": f"by {chart.grain}",
        "header_font_size": 0.4,
        "subtitle_font_size": 0.125,
        "y_axis_format": figure_format(metric),
        "time_format": "%Y-%m-%d",
        "color_picker": BLUE,
        "rolling_type": "None",
    }


def _course(chart: Chart, metric: Metric) -> dict[str, Any]:
    stacked = chart.form == "columns"
    return {
        "metrics": [metric.name],
        "groupby": [chart.by] if chart.by else [],
        "x_axis": AT,
        "time_grain_sqla": GRAINS[chart.grain],
        "x_axis_sort_asc": True,
        "limit": chart.top,
        "timeseries_limit_metric": metric.name,
        "order_desc": True,
        "row_limit": 10_000,
        "seriesType": "line",
        "markerEnabled": not stacked,
        "markerSize": 5,
        "stack": "Stack" if stacked else None,
        "show_legend": bool(chart.by),
        "legendType": "scroll",
        "legendOrientation": "top",
        "rich_tooltip": True,
        "showTooltipTotal": stacked,
        "tooltipTimeFormat": "%Y-%m-%d",
        "x_axis_time_format": "%b %Y" if chart.grain == "month" else "%d %b",
        "y_axis_format": AXIS.get(metric.unit, figure_format(metric)),
        # A line of shares that begins at zero is flat; columns that do not begin there lie.
        "truncateYAxis": not stacked,
        "y_axis_bounds": [None, None],
        "zoomable": False,
    }


def _bars(chart: Chart, metric: Metric) -> dict[str, Any]:
    return {
        "metrics": [metric.name],
        "groupby": [],
        "x_axis": chart.by,
        "x_axis_sort": metric.name,
        "x_axis_sort_asc": True,
        "xAxisForceCategorical": True,
        "orientation": "horizontal",
        "order_desc": True,
        "row_limit": chart.top,
        "show_value": True,
        "show_legend": False,
        "rich_tooltip": True,
        "y_axis_format": AXIS.get(metric.unit, figure_format(metric)),
        "y_axis_bounds": [None, None],
        "truncate_metric": True,
    }


def _heat(chart: Chart, metric: Metric) -> dict[str, Any]:
    return {
        "metric": metric.name,
        "x_axis": AT,
        "x_axis_time_format": "%b %Y" if chart.grain == "month" else "%d %b",
        "groupby": chart.by,
        "time_grain_sqla": GRAINS[chart.grain],
        "sort_x_axis": "alpha_asc",
        "sort_y_axis": "alpha_desc",
        "normalize_across": "heatmap",
        "linear_color_scheme": "shoplake_blues",
        "value_bounds": [None, None],
        "y_axis_format": figure_format(metric),
        "show_values": True,
        "show_legend": False,
        "show_percentage": False,
        "row_limit": 10_000,
        "left_margin": "auto",
        "bottom_margin": 50,
    }


def _listed() -> dict[str, Any]:
    return {
        "query_mode": "raw",
        "row_limit": 100,
        "show_cell_bars": False,
        "table_timestamp_format": "%Y-%m-%d %H:%M",
    }
