"""A dashboard's rows in the words of Superset's grid, and its filter of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infra.superset.declared import COLUMNS, Board, Chart
from infra.superset.identity import uuid_of

HEIGHTS = {"number": 22, "line": 46, "columns": 46, "bars": 46, "heat": 58, "listed": 50}
"""In Superset's units, eight pixels each."""
HEADER_HEIGHT = 18
GUIDES = "/shoplake/docs"
"""Where Superset serves docs/ (pages.py)."""


def position(board: Board, boards: Sequence[Board]) -> dict[str, Any]:
    """The grid: a header of words, then the rows.

    Args:
        boards: all of them, which the header leads to.
    """
    rows = [f"ROW-{board.slug}-{number}" for number in range(len(board.rows) + 1)]
    found: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": rows, "parents": ["ROOT_ID"]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": board.title}},
    }
    header = f"MARKDOWN-{board.slug}"
    found |= _row(rows[0], [header])
    found[header] = {
        "type": "MARKDOWN",
        "id": header,
        "children": [],
        "parents": ["ROOT_ID", "GRID_ID", rows[0]],
        "meta": {"width": COLUMNS, "height": HEADER_HEIGHT, "code": words(board, boards)},
    }
    for name, row in zip(rows[1:], board.rows, strict=True):
        found |= _row(name, [_key(chart) for chart in row])
        # As high as the highest, or a row would have holes.
        height = max(HEIGHTS[chart.form] for chart in row)
        found |= {_key(chart): _chart(chart, name, height) for chart in row}
    return found


def words(board: Board, boards: Sequence[Board]) -> str:
    """The header of a dashboard: what it is about, the others, and where its figures are told in other ways."""
    others = (
        f"**{each.title}**" if each == board else f"[{each.title}](/superset/dashboard/{each.slug}/)" for each in boards
    )
    return (
        f"{board.about}\n\n"
        f"{' · '.join(others)}\n\n"
        "Days are UTC; the filter chooses the period. A chart's (i) says what it counts, and which `lake metric` gives "
        f"the same: [all metrics]({GUIDES}/metrics.md). As a [report]({GUIDES}/reports.md): `lake report open daily`. "
        f"How each publish was proven: `lake receipts`. [Guide]({GUIDES}/dashboards.md)"
    )


def metadata(board: Board) -> dict[str, Any]:
    """Filter, colours and how the page behaves."""
    return {
        "color_scheme": "shoplake",
        "cross_filters_enabled": True,
        "filter_bar_orientation": "HORIZONTAL",
        "refresh_frequency": 0,
        "timed_refresh_immune_slices": [],
        "expanded_slices": {},
        "native_filter_configuration": [
            {
                "id": f"NATIVE_FILTER-{board.slug}",
                "type": "NATIVE_FILTER",
                "filterType": "filter_time",
                "name": "Period",
                "description": "Of all charts, in whole days (UTC)",
                "targets": [{}],
                "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
                "cascadeParentIds": [],
                "controlValues": {"enableEmptyFilter": False},
                "defaultDataMask": {
                    "extraFormData": {"time_range": board.period},
                    "filterState": {"value": board.period},
                },
            }
        ],
    }


def _row(name: str, children: list[str]) -> dict[str, Any]:
    return {
        name: {
            "type": "ROW",
            "id": name,
            "children": children,
            "parents": ["ROOT_ID", "GRID_ID"],
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
    }


def _chart(chart: Chart, row: str, height: int) -> dict[str, Any]:
    return {
        "type": "CHART",
        "id": _key(chart),
        "children": [],
        "parents": ["ROOT_ID", "GRID_ID", row],
        "meta": {
            "width": chart.width,
            "height": height,
            "sliceName": chart.title,
            "uuid": uuid_of("chart", chart.name),
            "chartId": 0,
        },
    }


def _key(chart: Chart) -> str:
    return f"CHART-{chart.name}"
