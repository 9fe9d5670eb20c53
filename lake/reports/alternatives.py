"""What a chart shows, in words and as a table, for those who do not see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lake.drawing import charts, formats
from lake.reports.shown import Cell, Chart, Line

Draw = Callable[[float], str]
"""Width in inches in, SVG out."""
Rows = Sequence[dict[str, Any]]


def chart(name: str, title: str, said: str, draw: Draw) -> Chart:
    """A chart for a page and for a phone, each with its words.

    Args:
        name: of the figure.
        draw: such as `charts.line` with its rows.
    """
    wide, narrow = (
        charts.titled(draw(width), f"{name}-{word}", title, said)
        for width, word in ((charts.WIDE, "wide"), (charts.NARROW, "narrow"))
    )
    return Chart(wide, narrow, said)


def in_words(kind: str, rows: Rows, unit: str, currency: str, at: str = "") -> str:
    """What a chart shows: how many values, the lowest, the highest and the last.

    Args:
        at: the column that says where a value stands.
    """
    at = at or {"line": "date", "bar": "label"}.get(kind, "row")
    known = [row for row in rows if formats.is_finite(row["value"])]
    what = {"line": "A line", "bar": "Bars", "heatmap": "Cells"}[kind]
    if not known:
        return f"{what} of {len(rows)} values, none of which is known."

    def one(row: dict[str, Any]) -> str:
        more = f", {row['column']}" if kind == "heatmap" else ""
        return f"{formats.exact(row['value'], unit, currency)} ({row[at]}{more})"

    low, high = (pick(known, key=lambda row: row["value"]) for pick in (min, max))
    last = f", last {one(known[-1])}" if kind == "line" else ""
    return f"{what} of {len(rows)} values: lowest {one(low)}, highest {one(high)}{last}."


def as_table(kind: str, rows: Rows, unit: str, currency: str) -> tuple[Line, tuple[Line, ...]]:
    """The head and the rows of the numbers that a chart of a query shows."""
    if kind == "heatmap":
        columns = sorted({row["column"] for row in rows})
        cells = {(row["row"], row["column"]): row["value"] for row in rows}
        head = (Cell(""), *(Cell(str(column), True) for column in columns))
        lines = tuple(
            (Cell(str(name)), *(_number(cells.get((name, column)), unit, currency) for column in columns))
            for name in dict.fromkeys(row["row"] for row in rows)
        )
        return head, lines
    at = "date" if kind == "line" else "label"
    head = (Cell(at.capitalize()), Cell("Value", True))
    return head, tuple((Cell(str(row[at])), _number(row["value"], unit, currency)) for row in rows)


def _number(value: Any, unit: str, currency: str) -> Cell:
    return Cell("" if value is None else formats.exact(value, unit, currency), True)
