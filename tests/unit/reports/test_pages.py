"""From rows to pages: figures, charts, HTML and PDF."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from lake.drawing import charts
from lake.errors import LakeError
from lake.ledger.receipts import Receipt
from lake.reports import deliver, pages
from lake.reports.definition import Report
from lake.reports.figures import Lake, compute
from lake.reports.shown import Beside, Cell, Proof, Shown, Tile

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


def _shown(report: Report, run: Callable[[str], list[dict[str, Any]]] | None = None) -> list[Shown]:
    return compute(report, PROOF, Lake(run or _rows))


def _rows(query: str) -> list[dict[str, Any]]:
    assert "DATE '2026-11-23'" in query
    return ROWS[query.split("'")[1]]


def test_tiles_and_tables_hold_the_exact_figures() -> None:
    tiles, table = _shown(_report("tiles", "table"))
    assert tiles.tiles == (Tile("Revenue", "$1,101.00", (Beside("from", "$1,000.00", "+10.1 %", "up", "good"),)),)
    assert [cell.text for cell in table.head] == ["Segment", "Revenue", "Late", "Starts on"]
    assert table.rows == (
        (Cell(EVIL, False), Cell("−$2.00", True), Cell("6.2 %", True), Cell("2026-01-02", False)),
        (Cell("none", False), Cell("–", True), Cell("–", True), Cell("2026-01-03", False)),
    )


def test_a_page_carries_receipt_and_commit_at_every_figure_and_escapes_what_the_shop_wrote() -> None:
    report = _report(*ROWS)
    page = pages.html(report, _shown(report), PROOF).decode()
    sections = re.findall(r"<section.*?</section>", page, re.DOTALL)
    assert len(sections) == len(ROWS)
    for section in sections:
        assert "run_7" in section
        assert "main@abcdef012345" in section
    assert "main@abcdef0123456789" in page[page.index("<footer>") :]
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r'(src|href)="(?!#)|url\((?!#)', page.replace("xlink:href", "")), "it needs nothing beside it"


def _receipt(**tables: dict[str, str]) -> Receipt:
    plain = {"source": "shop", "mode": "increment", "held_since": "", "reason": ""}
    return Receipt("run_7", "abc", "", "", "", "", "", tables={name: plain | told for name, told in tables.items()})


def test_a_report_says_up_to_when_every_row_was_compared_and_what_is_older() -> None:
    swept = {"verified_through": "2026-11-22T01:30:00+00:00"}
    later = {"verified_through": "2026-11-23T01:30:00+00:00"}
    held = later | {"mode": "held back", "held_since": "2026-11-20T08:00:00+00:00", "reason": "column <total> is gone"}
    notes = deliver._notes(_receipt(orders=swept, items=held))
    page = pages.html(_report("bar"), [], replace(PROOF, notes=notes)).decode()
    assert "proven equal to the shop&#39;s database, row by row, up to 2026-11-22 01:30 UTC." in page
    assert "items was not read: column &lt;total&gt; is gone; shown as of 2026-11-20 08:00 UTC." in page
    assert pages.pdf(_report("bar"), [], replace(PROOF, notes=notes)).startswith(b"%PDF-")

    assert "no sweep has compared all rows yet" in deliver._notes(_receipt(orders=swept, items={}))[0]


def test_the_same_rows_give_the_same_bytes() -> None:
    report = _report(*ROWS)
    first, second = (_shown(report) for _ in range(2))
    assert pages.html(report, first, PROOF) == pages.html(report, second, PROOF)
    document = pages.pdf(report, first, PROOF)
    assert document.startswith(b"%PDF-")
    assert document == pages.pdf(report, second, PROOF)


def test_nothing_in_the_lake_is_said_and_not_drawn() -> None:
    report = _report(*ROWS)
    figures = _shown(report, lambda _: [])
    assert all(figure.is_empty for figure in figures)
    assert pages.html(report, figures, PROOF).decode().count("holds nothing for this figure yet") == len(ROWS)
    assert pages.pdf(report, figures, PROOF).startswith(b"%PDF-")


def test_a_query_that_does_not_fit_its_figure_is_named() -> None:
    with pytest.raises(LakeError, match="figure 'bar' of report 'r' is a bar, but its query returns no column label"):
        _shown(_report("bar"), lambda _: [{"value": 1}])


def test_the_mean_starts_where_there_are_enough_days() -> None:
    with_mean = charts.line(ROWS["line"], "money", "USD", mean_days=7)
    too_few = charts.line(ROWS["line"][:3], "money", "USD", mean_days=7)
    assert f"stroke: {charts.ACCENT}; stroke-width: 2" in with_mean
    assert f"stroke: {charts.ACCENT}; stroke-width: 2" not in too_few


def test_every_chart_says_what_it_shows_and_has_its_numbers_beside_it() -> None:
    report = _report("line", "bar", "heatmap")
    figures = _shown(report)
    page = pages.html(report, figures, PROOF).decode()
    for figure, section in zip(figures, re.findall(r"<section.*?</section>", page, re.DOTALL), strict=True):
        drawings = re.findall(r"<svg .*?</svg>", section, re.DOTALL)
        assert len(drawings) == 2, "for a page and for a phone"
        for drawing in drawings:
            told = re.search(r'role="img" aria-labelledby="(\S+) (\S+)"', drawing)
            assert told
            assert f'<title id="{told[1]}">The {figure.name}</title>' in drawing
            assert f'<desc id="{told[2]}">' in drawing
        numbers = section[section.index('<details class="numbers">') :]
        assert numbers.count("<tr>") == len(figure.rows) + 1
    ids = re.findall(r' id="([\w-]+-(?:title|said))"', page)
    assert len(set(ids)) == len(ids) == 12
    said = {figure.name: figure.chart.said for figure in figures if figure.chart}
    assert said["line"] == (
        "A line of 10 values: lowest $1.00 (2026-11-01), highest $10.00 (2026-11-10), last $10.00 (2026-11-10)."
    )
    assert said["heatmap"] == "Cells of 3 values: lowest $0.50 (Jan, 1), highest $1.00 (Jan, 0)."


def test_a_chart_takes_the_colours_of_the_page_and_keeps_its_own_in_a_pdf() -> None:
    report = _report("line", "bar", "heatmap")
    figures = _shown(report)
    drawn = re.findall(r"<svg .*?</svg>", pages.html(report, figures, PROOF).decode(), re.DOTALL)
    colours = {colour for drawing in drawn for colour in re.findall(r"(?:fill|stroke): (#\w+|var\(--\w+\))", drawing)}
    # White stands on cells that are dark by day and by night.
    assert {each for each in colours if each.startswith("#")} <= {charts.ON_HEAT}
    style = pages.html(report, [], PROOF).decode()
    for name in charts.VARIABLES.values():
        assert style.count(f"--{name}:") == 2, "by day and by night"
    assert all("var(" not in figure.chart.wide for figure in figures if figure.chart)


def test_what_is_no_number_is_not_shown_as_one() -> None:
    rows = [{"label": "a", "value": float("nan")}, {"label": "b", "value": None}, {"label": "c", "value": Decimal(-2)}]
    [figure] = _shown(_report("bar"), lambda _: rows)
    assert [[cell.text for cell in row] for row in figure.rows] == [["a", "no data"], ["b", ""], ["c", "−$2.00"]]
    assert figure.chart
    assert "nan" not in figure.chart.wide
