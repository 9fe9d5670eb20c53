"""From rows to pages: figures, charts, HTML and PDF."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from lake.errors import LakeError
from lake.reports import charts, pages
from lake.reports.definition import Report
from lake.reports.figures import Cell, Proof, Tile, compute

PROOF = Proof("run_7", "abcdef0123456789", datetime(2026, 11, 23, 10, 30, tzinfo=UTC))
EVIL = "<script>alert(1)</script> #sys.inputs $5 & $9"

ROWS: dict[str, list[dict[str, Any]]] = {
    "tiles": [{"label": "Revenue", "unit": "money", "value": Decimal("1101.00"), "previous": Decimal("1000.00")}],
    "line": [{"date": date(2026, 11, day), "value": Decimal(day)} for day in range(1, 11)],
    "bar": [{"label": EVIL, "value": Decimal("1234.50")}],
    "heatmap": [
        {"row": "Jan", "column": 0, "value": Decimal(1)},
        {"row": "Jan", "column": 1, "value": Decimal("0.5")},
        {"row": "Feb", "column": 0, "value": Decimal(1)},
    ],
    "table": [
        {"segment": EVIL, "revenue": Decimal("-2.00"), "late_share": Decimal("0.0625"), "starts_on": date(2026, 1, 2)},
        {"segment": "none", "revenue": None, "late_share": None, "starts_on": date(2026, 1, 3)},
    ],
}


def _report(*kinds: str) -> Report:
    figures = [
        {"name": kind, "title": f"The {kind}", "kind": kind, "unit": "money", "query": f"SELECT '{kind}', $as_of"}
        for kind in kinds
    ]
    return Report.model_validate(
        {"name": "r", "title": "Report", "description": "All of it.", "currency": "USD", "figures": figures}
    )


def _rows(query: str) -> list[dict[str, Any]]:
    assert "DATE '2026-11-23'" in query
    return ROWS[query.split("'")[1]]


def test_tiles_and_tables_hold_the_exact_figures() -> None:
    tiles, table = compute(_report("tiles", "table"), PROOF.as_of, _rows)
    assert tiles.tiles == (Tile("Revenue", "$1,101.00", "$1,000.00", "+10.1 %", "up"),)
    assert [cell.text for cell in table.head] == ["Segment", "Revenue", "Late", "Starts on"]
    assert table.rows == (
        (Cell(EVIL, False), Cell("−$2.00", True), Cell("6.2 %", True), Cell("2026-01-02", False)),
        (Cell("none", False), Cell("–", True), Cell("–", True), Cell("2026-01-03", False)),
    )


def test_a_page_carries_receipt_and_commit_at_every_figure_and_escapes_what_the_shop_wrote() -> None:
    report = _report(*ROWS)
    page = pages.html(report, compute(report, PROOF.as_of, _rows), PROOF).decode()
    sections = re.findall(r"<section.*?</section>", page, re.DOTALL)
    assert len(sections) == len(ROWS)
    for section in sections:
        assert "run_7" in section
        assert "main@abcdef012345" in section
    assert "main@abcdef0123456789" in page[page.index("<footer>") :]
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r'(src|href)="(?!#)', page.replace("xlink:href", "")), "the page needs nothing beside itself"


def test_the_same_rows_give_the_same_bytes() -> None:
    report = _report(*ROWS)
    first, second = (compute(report, PROOF.as_of, _rows) for _ in range(2))
    assert pages.html(report, first, PROOF) == pages.html(report, second, PROOF)
    document = pages.pdf(report, first, PROOF)
    assert document.startswith(b"%PDF-")
    assert document == pages.pdf(report, second, PROOF)


def test_nothing_in_the_lake_is_said_and_not_drawn() -> None:
    report = _report(*ROWS)
    figures = compute(report, PROOF.as_of, lambda _: [])
    assert all(figure.is_empty for figure in figures)
    assert pages.html(report, figures, PROOF).decode().count("holds nothing for this figure yet") == len(ROWS)
    assert pages.pdf(report, figures, PROOF).startswith(b"%PDF-")


def test_a_query_that_does_not_fit_its_figure_is_named() -> None:
    with pytest.raises(LakeError, match="figure 'bar' of report 'r' is a bar, but its query returns no column label"):
        compute(_report("bar"), PROOF.as_of, lambda _: [{"value": 1}])


def test_the_mean_starts_where_there_are_enough_days() -> None:
    with_mean = charts.line(ROWS["line"], "money", "USD", mean_days=7)
    too_few = charts.line(ROWS["line"][:3], "money", "USD", mean_days=7)
    assert f"stroke: {charts.ACCENT}; stroke-width: 2" in with_mean
    assert f"stroke: {charts.ACCENT}; stroke-width: 2" not in too_few
