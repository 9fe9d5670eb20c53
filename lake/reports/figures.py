"""From a definition to what is shown: asks for what a report's figures need, and lays it out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from lake.drawing import charts, formats
from lake.errors import LakeError
from lake.ledger.receipts import Receipt
from lake.metrics.definitions import Metrics
from lake.reports import alternatives, quality
from lake.reports.definition import COLUMNS, QualityFigure, QueryFigure, Report, bind
from lake.reports.measured import AskMetrics, Measured
from lake.reports.of_metrics import Layout
from lake.reports.shown import Beside, Cell, Proof, Shown, Tile

Rows = list[dict[str, Any]]
RunQuery = Callable[[str], Rows]
"""SQL in, one dictionary a row out."""

DRAW: dict[str, Callable[..., str]] = {"line": charts.line, "bar": charts.bar, "heatmap": charts.heatmap}


@dataclass(frozen=True)
class Lake:
    """What figures are made from, all of one state of the lake.

    Attributes:
        run: asks it in SQL.
        metrics, ask: its metrics, and how they are asked for; None where no report shows any.
        receipt: of the run that published it.
    """

    run: RunQuery
    metrics: Metrics | None = None
    ask: AskMetrics | None = None
    receipt: Receipt | None = None


def compute(report: Report, proof: Proof, lake: Lake) -> list[Shown]:
    """Compute all figures of a report, in its order.

    Raises:
        LakeError: a query failed or lacks a column that its kind of figure needs; report and figure are named.
    """
    layout = None
    if report.figures_of_metrics:
        if lake.metrics is None or lake.ask is None:
            raise ValueError(f"report {report.name} shows metrics, and there is nothing to ask for them")
        try:
            measured = Measured(report, lake.metrics, proof.as_of, lake.ask)
        except LakeError as error:
            raise type(error)(f"report {report.name!r}: {error.what}", error.fix) from error
        layout = Layout(measured, report.currency, proof.lake_commit)
    shown = []
    for figure in report.figures:
        if isinstance(figure, QueryFigure):
            shown.append(_of_query(report, figure, bind(figure.query, proof.as_of), lake.run))
        elif isinstance(figure, QualityFigure):
            base = Shown(figure.name, figure.title, figure.note.strip(), figure.kind, f"lake receipts {proof.run_id}")
            shown.append(Shown(**{**vars(base), **quality.content(lake.receipt)}))
        else:
            assert layout
            shown.append(layout.shown(figure))
    return shown


def _of_query(report: Report, figure: QueryFigure, query: str, run: RunQuery) -> Shown:
    name = f"figure {figure.name!r} of report {report.name!r}"
    try:
        rows = run(query)
    except LakeError as error:
        raise type(error)(f"{name}: {error.what}", error.fix) from error
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


def _content(figure: QueryFigure, rows: Rows, currency: str) -> dict[str, Any]:
    if figure.kind == "tiles":
        return {"tiles": tuple(_tile(row, currency) for row in rows)}
    if figure.kind == "table":
        return _table(rows, currency)
    more = (figure.mean_days,) if figure.kind == "line" else ()
    said = alternatives.in_words(figure.kind, rows, figure.unit, currency)
    head, lines = alternatives.as_table(figure.kind, rows, figure.unit, currency)
    drawing = alternatives.chart(
        figure.name,
        figure.title,
        said,
        lambda width: DRAW[figure.kind](rows, figure.unit, currency, *more, width=width),
    )
    return {"chart": drawing, "head": head, "rows": lines}


def _tile(row: dict[str, Any], currency: str) -> Tile:
    unit = row["unit"]
    beside = Beside.of("from", row["value"], row["previous"], unit, currency)
    return Tile(row["label"], formats.exact(row["value"], unit, currency), (beside,))


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
    return value is None or (isinstance(value, int | float | Decimal) and not isinstance(value, bool | date | Sequence))
