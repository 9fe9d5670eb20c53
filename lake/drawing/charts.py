"""Charts as SVG. The same rows give the same bytes, so that a report can be compared with one computed again.

Text stays text: it can be selected and searched, and takes the font of the page around it. Each chart is drawn for a
page and, narrow, for a phone, where the text of the other would be too small to read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from io import StringIO
from math import isfinite
from statistics import fmean
from typing import Any
from xml.sax.saxutils import escape

import matplotlib
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lake.drawing.formats import brief, is_finite

ACCENT, FAINT, PAST, GRID, INK, MUTED = "#4f46e5", "#c7d2fe", "#94a3b8", "#e2e8f0", "#0f172a", "#64748b"
HEAT, ON_HEAT, CARD = "#4338ca", "#ffffff", "#fffffe"
"""A cell, what is written on a dark one, and what is between cells: each of a colour of its own."""
VARIABLES = {
    ACCENT: "accent",
    FAINT: "faint",
    PAST: "past",
    GRID: "line",
    INK: "ink",
    MUTED: "muted",
    HEAT: "heat",
    CARD: "card",
}
"""What the page's style sheet calls the colours of a chart (`adapting`)."""
SCALE = LinearSegmentedColormap.from_list("heat", [HEAT + "10", HEAT + "ff"])
"""From hardly to fully covered, so that the page shines through, be it light or dark."""
DARK_FROM = 0.55
"""From this point of the scale on, white text reads better than the page's."""
WIDE, NARROW = 9.6, 4.7
"""Inches."""
MAX_LABEL = {WIDE: 46, NARROW: 20}
NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))
FEW = 14
"""Up to so many values, each has a dot."""

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


def line(rows: Rows, unit: str, currency: str, mean_days: int = 0, width: float = WIDE) -> str:
    """A value over days; with ``mean_days`` also the mean of each day and those before it, once there are enough."""
    days = [row["date"] for row in rows]
    values = [number(row["value"]) for row in rows]

    def draw(axes: Axes) -> None:
        if mean_days:
            axes.plot(days, values, color=FAINT, linewidth=1)
            means = [fmean(values[end - mean_days : end]) for end in range(mean_days, len(values) + 1)]
            axes.plot(days[mean_days - 1 :], means, color=ACCENT, linewidth=2)
        else:
            axes.plot(days, values, color=ACCENT, linewidth=2)
        over_time(axes, values, unit, currency, width)

    return _svg(draw, width, 3.0)


def trend(rows: Rows, unit: str, currency: str, width: float = WIDE) -> str:
    """A value (``value``) over periods, and what it was a year before (``last_year``); what is not known is a gap."""
    days = [row["date"] for row in rows]
    values, earlier = ([number(row[name]) for row in rows] for name in ("value", "last_year"))
    dot = "o" if len(rows) <= FEW else ""

    def draw(axes: Axes) -> None:
        if any(row["last_year"] is not None for row in rows):
            dashed: Any = (0, (4, 3))
            axes.plot(
                days,
                earlier,
                color=PAST,
                linewidth=1.4,
                linestyle=dashed,
                marker=dot,
                markersize=3,
                label="a year before",
            )
            _alone(axes, days, earlier, PAST)
        axes.plot(days, values, color=ACCENT, linewidth=2, label="now", marker=dot, markersize=4)
        _alone(axes, days, values, ACCENT)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, borderpad=0, labelcolor=MUTED)
        over_time(axes, [*values, *earlier], unit, currency, width)

    return _svg(draw, width, 3.0)


def _alone(axes: Axes, days: Sequence[Any], values: Sequence[float], color: str) -> None:
    """Dots for values between two gaps, of which there is no line."""
    known = [False, *map(isfinite, values), False]
    alone = [at for at in range(len(values)) if known[at + 1] and not known[at] and not known[at + 2]]
    if alone:
        axes.plot([days[at] for at in alone], [values[at] for at in alone], "o", color=color, markersize=4)


def over_time(axes: Axes, values: Sequence[float], unit: str, currency: str, width: float) -> None:
    """Axes of values over days, from nothing on."""
    axes.set_ylim(bottom=min([0.0, *(value for value in values if isfinite(value))]))
    axes.margins(x=0.01)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    locator = AutoDateLocator(minticks=4, maxticks=12 if width == WIDE else 6)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: brief(Decimal(str(value)), unit, currency)))


def bar(rows: Rows, unit: str, currency: str, width: float = WIDE) -> str:
    """A bar a row, in the order of the rows from the top, with its value at the end."""
    # What is no number has no bar, and says so.
    values = [number(row["value"]) if is_finite(row["value"]) else 0.0 for row in rows]
    places = range(len(rows))

    def draw(axes: Axes) -> None:
        axes.barh(places, values, color=ACCENT, height=0.62)
        axes.set_yticks(places, [_short(str(row["label"]), MAX_LABEL[width]) for row in rows])
        axes.tick_params(axis="y", labelcolor=INK)
        axes.margins(y=0.01)
        axes.invert_yaxis()
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)
        reach = max(map(abs, values), default=0.0) or 1.0
        axes.set_xlim(min([0.0, *values]), reach * (1.14 if width == WIDE else 1.3))
        for place, row, value in zip(places, rows, values, strict=True):
            text = brief(row["value"], unit, currency)
            axes.text(max(value, 0) + reach * 0.012, place, text, va="center", color=MUTED)

    return _svg(draw, width, 0.5 + 0.3 * len(rows))


def heatmap(rows: Rows, unit: str, currency: str, width: float = WIDE) -> str:
    """A value for each row and column. The first column is the whole, so it takes no part in the scale of colours."""
    heads = list(dict.fromkeys(row["row"] for row in rows))
    columns = sorted({row["column"] for row in rows})
    cells = {(row["row"], row["column"]): row["value"] for row in rows}
    scaled = [number(row["value"]) for row in rows if row["column"] != columns[0] and row["value"] is not None]
    low, high = (min(scaled), max(scaled)) if scaled else (0.0, 1.0)
    scale = Normalize(low - (high - low or 1.0) * 0.1, high, clip=True)
    grid = [[number(cells.get((head, column))) for column in columns] for head in heads]

    def draw(axes: Axes) -> None:
        axes.pcolormesh(grid, cmap=SCALE, norm=scale, edgecolors=CARD, linewidth=1.5)
        axes.invert_yaxis()
        axes.set_yticks([place + 0.5 for place in range(len(heads))], [str(head) for head in heads])
        axes.set_xticks([place + 0.5 for place in range(len(columns))], [str(column) for column in columns])
        axes.tick_params(axis="y", labelcolor=INK)
        axes.set_xlabel("months since the first order")
        axes.spines["bottom"].set_visible(False)
        for (head, column), value in cells.items():
            if value is not None:
                colour = ON_HEAT if scale(number(value)) > DARK_FROM else INK
                place = (columns.index(column) + 0.5, heads.index(head) + 0.5)
                text = brief(value, unit, currency)
                if width == NARROW:
                    text = text.removesuffix(" %")
                axes.text(*place, text, ha="center", va="center", color=colour, size=8 if width == WIDE else 6.5)

    return _svg(draw, width, 0.7 + 0.3 * len(heads))


def titled(svg: str, name: str, title: str, said: str) -> str:
    """A chart that says what it shows to those who do not see it.

    Args:
        name: that no other drawing of its page has.
    """
    head, rest = svg.split(">", 1)
    label = f'role="img" aria-labelledby="{name}-title {name}-said"'
    told = f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-said">{escape(said)}</desc>'
    return f"{head} {label}>{told}{rest}"


def adapting(svg: str) -> str:
    """A chart whose colours are those of the page's style sheet, which knows whether it is dark."""
    for colour, name in VARIABLES.items():
        svg = svg.replace(f": {colour}", f": var(--{name})")
    return svg


def _svg(draw: Callable[[Axes], None], width: float, height: float) -> str:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure.add_subplot())
        written = StringIO()
        figure.savefig(written, format="svg", transparent=True, metadata=NO_METADATA)
    # Without the XML head, so that it can stand within a page.
    return written.getvalue()[written.getvalue().index("<svg") :]


def number(value: Any) -> float:
    """For drawing only: what is printed comes from the exact value."""
    return float("nan") if value is None else float(value)


def _short(label: str, most: int) -> str:
    return label if len(label) <= most else label[: most - 1] + "…"
