"""A value over days beside what it should lie between, as PNG: mail programs show no SVG.

The same values give the same bytes, with the same versions of the libraries.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from io import BytesIO
from math import isfinite

import matplotlib
from matplotlib.figure import Figure
from PIL import Image

from lake.drawing.charts import ACCENT, FAINT, MUTED, NARROW, PAST, STYLE, number, over_time

WRONG = "#dc2626"
PAPER = "#ffffff"
"""A mail may be read on a dark page, and the text of a chart is dark."""
DOTS_AN_INCH = 130
COLOURS = 48
"""Enough for lines with soft edges, and half of the bytes."""

Values = Sequence[Decimal | None]


def png(
    title: str, unit: str, days: Sequence[date], values: Values, low: Values, high: Values, marked: int, is_band: bool
) -> bytes:
    """Draw it.

    Args:
        values, low, high: of each day; None where there is none. At least one of the values is known.
        marked: how many of the last days are the ones in question.
        is_band: whether the limits follow what is usual; else they are a rule's own.
    """
    shown, least, most = ([number(each) for each in of] for of in (values, low, high))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(NARROW * 1.2, 2.7), layout="constrained", facecolor=PAPER)
        axes = figure.add_subplot()
        bottom, top = ([*map(isfinite, each)] for each in (least, most))
        known = [value for each in (shown, least, most) for value in each if isfinite(value)]
        if is_band:
            floor, ceiling = min([0.0, *known]), max(known) * 1.05
            axes.fill_between(
                list(days),
                [value if there else floor for value, there in zip(least, bottom, strict=True)],
                [value if there else ceiling for value, there in zip(most, top, strict=True)],
                color=FAINT,
                alpha=0.55,
                linewidth=0,
                label="as it should be",
            )
            axes.set_ylim(floor, ceiling)
        else:
            for limits, there, word in ((least, bottom, "at least"), (most, top, "at most")):
                if any(there):
                    axes.plot(list(days), limits, color=PAST, linewidth=1.4, linestyle=(0, (4, 3)), label=word)
        axes.plot(list(days), shown, color=ACCENT, linewidth=1.8)
        when = f"{days[-1]}" if marked == 1 else f"{days[-marked]} to {days[-1]}"
        axes.plot(
            list(days[-marked:]),
            shown[-marked:],
            "o",
            color=WRONG,
            markersize=6,
            linestyle="none",
            label=when,
            zorder=3,
        )
        axes.set_title(title, loc="left", pad=22, size=10)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, borderpad=0, labelcolor=MUTED)
        # Which currency it is, alerts do not tell.
        over_time(axes, known, "count" if unit == "money" else unit, "", NARROW)
        if is_band:
            axes.set_ylim(top=ceiling)
        written = BytesIO()
        figure.savefig(written, format="png", dpi=DOTS_AN_INCH, metadata={"Software": None})
    smaller = BytesIO()
    few = Image.open(written).convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE)
    few.save(smaller, format="PNG", optimize=True)
    return smaller.getvalue()
