"""Charts as SVG. The same rows give the same bytes, so that a report can be compared with one computed again.

Text stays text: it can be selected and searched, and takes the font of the page around it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from io import StringIO
from statistics import fmean
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lake.reports.formats import brief

ACCENT, FAINT, GRID, INK, MUTED = "#4f46e5", "#c7d2fe", "#e2e8f0", "#0f172a", "#64748b"
HEAT = LinearSegmentedColormap.from_list("heat", ["#f5f3ff", "#a5b4fc", "#4f46e5", "#312e81"])
DARK_FROM = 0.48
"""From this point of the scale on, white text reads better than dark."""
MAX_LABEL = 46

STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "shoplake",
    # a product may be called "2 for $5, 4 for $9": no mathematics
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "xtick.bottom": False,
    "ytick.left": False,
    "axes.axisbelow": True,
}

Rows = Sequence[dict[str, Any]]


def line(rows: Rows, unit: str, currency: str, mean_days: int = 0) -> str:
    """A value over days; with ``mean_days`` also the mean of each day and those before it, once there are enough."""
    days = [row["date"] for row in rows]
    values = [_number(row["value"]) for row in rows]

    def draw(axes: Axes) -> None:
        if mean_days:
            axes.plot(days, values, color=FAINT, linewidth=1)
            means = [fmean(values[end - mean_days : end]) for end in range(mean_days, len(values) + 1)]
            axes.plot(days[mean_days - 1 :], means, color=ACCENT, linewidth=2)
        else:
            axes.plot(days, values, color=ACCENT, linewidth=2)
        axes.set_ylim(bottom=0)
        axes.margins(x=0.01)
        axes.grid(axis="y", color=GRID, linewidth=0.8)
        locator = AutoDateLocator(minticks=4, maxticks=12)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: brief(Decimal(str(value)), unit, currency)))

    return _svg(draw, 9.6, 3.0)


def bar(rows: Rows, unit: str, currency: str) -> str:
    """A bar a row, in the order of the rows from the top, with its value at the end."""
    values = [_number(row["value"]) for row in rows]
    places = range(len(rows))

    def draw(axes: Axes) -> None:
        axes.barh(places, values, color=ACCENT, height=0.62)
        axes.set_yticks(places, [_short(str(row["label"])) for row in rows])
        axes.tick_params(axis="y", labelcolor=INK)
        axes.margins(y=0.01)
        axes.invert_yaxis()
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)
        reach = max(map(abs, values)) or 1.0
        axes.set_xlim(min(0.0, *values), reach * 1.14)
        for place, row, value in zip(places, rows, values, strict=True):
            text = brief(row["value"], unit, currency)
            axes.text(max(value, 0) + reach * 0.012, place, text, va="center", color=MUTED)

    return _svg(draw, 9.6, 0.5 + 0.3 * len(rows))


def heatmap(rows: Rows, unit: str, currency: str) -> str:
    """A value for each row and column. The first column is the whole, so it takes no part in the scale of colours."""
    heads = list(dict.fromkeys(row["row"] for row in rows))
    columns = sorted({row["column"] for row in rows})
    cells = {(row["row"], row["column"]): row["value"] for row in rows}
    grid = [[_number(cells.get((head, column))) for column in columns] for head in heads]
    scaled = [_number(row["value"]) for row in rows if row["column"] != columns[0] and row["value"] is not None]
    low, high = (min(scaled), max(scaled)) if scaled else (0.0, 1.0)

    def draw(axes: Axes) -> None:
        scale = Normalize(low - (high - low or 1.0) * 0.1, high, clip=True)
        axes.pcolormesh(grid, cmap=HEAT, norm=scale, edgecolors="white", linewidth=1.5)
        axes.invert_yaxis()
        axes.set_yticks([place + 0.5 for place in range(len(heads))], [str(head) for head in heads])
        axes.set_xticks([place + 0.5 for place in range(len(columns))], [str(column) for column in columns])
        axes.tick_params(axis="y", labelcolor=INK)
        axes.set_xlabel("months since the first order")
        axes.spines["bottom"].set_visible(False)
        for (head, column), value in cells.items():
            if value is not None:
                colour = "white" if scale(_number(value)) > DARK_FROM else INK
                place = (columns.index(column) + 0.5, heads.index(head) + 0.5)
                axes.text(*place, brief(value, unit, currency), ha="center", va="center", color=colour, size=8)

    return _svg(draw, 9.6, 0.7 + 0.3 * len(heads))


def _svg(draw: Callable[[Axes], None], width: float, height: float) -> str:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure.add_subplot())
        written = StringIO()
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    # Without the XML head, so that it can stand within a page.
    return written.getvalue()[written.getvalue().index("<svg") :]


def _number(value: Any) -> float:
    """For drawing only: what is printed comes from the exact value."""
    return float("nan") if value is None else float(value)


def _short(label: str) -> str:
    return label if len(label) <= MAX_LABEL else label[: MAX_LABEL - 1] + "…"
