"""From a definition to what is shown: runs the queries of a report and lays their rows out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from lake.errors import LakeError
from lake.reports import charts, formats
from lake.reports.definition import COLUMNS, Figure, Report, bind

Rows = list[dict[str, Any]]
RunQuery = Callable[[str], Rows]
"""SQL in, one dictionary a row out."""


@dataclass(frozen=True)
class Proof:
    """What every figure carries, so that anyone can compute it again.

    Attributes:
        run_id: of the receipt.
        lake_commit: commit of main at which the figures were computed.
        source_instant: UTC instant as of which the source was read.
        notes: sentences about how far the source was proven, and what of it is older than that.
    """

    run_id: str
    lake_commit: str
    source_instant: datetime
    notes: tuple[str, ...] = ()

    @property
    def as_of(self) -> date:
        """Day of the source instant: the first one that is not over in the data."""
        return self.source_instant.date()


@dataclass(frozen=True)
class Tile:
    """One headline figure with its change against an earlier one."""

    label: str
    value: str
    previous: str
    change: str
    direction: str


@dataclass(frozen=True)
class Cell:
    """One cell of a table."""

    text: str
    is_number: bool


@dataclass(frozen=True)
class Shown:
    """A figure, computed and laid out; of ``tiles``, ``svg`` and ``rows`` the one that fits its kind is filled.

    Attributes:
        query: the SQL that gave it, parameters filled in.
    """

    name: str
    title: str
    note: str
    kind: str
    query: str
    tiles: tuple[Tile, ...] = ()
    svg: str = ""
    head: tuple[Cell, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the query found nothing."""
        return not (self.tiles or self.svg or self.rows)


def compute(report: Report, as_of: date, run: RunQuery) -> list[Shown]:
    """Compute all figures of a report, in its order.

    Raises:
        LakeError: a query failed or lacks a column that its kind of figure needs; report and figure are named.
    """
    return [_show(report, figure, bind(figure.query, as_of), run) for figure in report.figures]


def _show(report: Report, figure: Figure, query: str, run: RunQuery) -> Shown:
    name = f"figure {figure.name!r} of report {report.name!r}"
    try:
        rows = run(query)
    except LakeError as error:
        raise LakeError(f"{name}: {error.what}", error.fix) from error
    missing = set(COLUMNS[figure.kind]) - set(rows[0] if rows else COLUMNS[figure.kind])
    if missing:
        raise LakeError(
            f"{name} is a {figure.kind}, but its query returns no column {', '.join(sorted(missing))}",
            f"a {figure.kind} needs the columns {', '.join(COLUMNS[figure.kind])}",
        )
    shown = Shown(figure.name, figure.title, figure.note.strip(), figure.kind, query.strip())
    if not rows:
        return shown
    return Shown(**{**vars(shown), **_content(figure, rows, report.currency)})


def _content(figure: Figure, rows: Rows, currency: str) -> dict[str, Any]:
    match figure.kind:
        case "tiles":
            return {"tiles": tuple(_tile(row, currency) for row in rows)}
        case "line":
            return {"svg": charts.line(rows, figure.unit, currency, figure.mean_days)}
        case "bar":
            return {"svg": charts.bar(rows, figure.unit, currency)}
        case "heatmap":
            return {"svg": charts.heatmap(rows, figure.unit, currency)}
        case "table":
            return _table(rows, currency)


def _tile(row: dict[str, Any], currency: str) -> Tile:
    change, direction = formats.change(row["value"], row["previous"])
    value, previous = (formats.exact(row[name], row["unit"], currency) for name in ("value", "previous"))
    return Tile(row["label"], value, previous, change, direction)


def _table(rows: Rows, currency: str) -> dict[str, Any]:
    numeric = {name: all(_is_number(row[name]) for row in rows) for name in rows[0]}
    return {
        "head": tuple(Cell(formats.heading(name), numeric[name]) for name in rows[0]),
        "rows": tuple(
            tuple(Cell(formats.cell(name, value, currency), numeric[name]) for name, value in row.items())
            for row in rows
        ),
    }


def _is_number(value: Any) -> bool:
    return value is None or not isinstance(value, str | bool | date | Sequence)
