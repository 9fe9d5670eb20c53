"""What a report says of the data behind it, from its receipt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lake.ledger.receipts import Receipt
from lake.reports import pages
from lake.reports.figures import Lake, compute
from lake.reports.shown import Shown
from tests.unit.reports.made_up import PROOF, report, text

FIGURE = {"kind": "quality"}


def table(**told: Any) -> dict[str, Any]:
    plain = {"source": "shop", "mode": "increment", "held_since": "", "reason": "", "quarantine_rows": 0, "reasons": {}}
    return {**plain, **told}


def receipt(**tables: dict[str, Any]) -> Receipt:
    warnings = ["quarantine.orders: rows: observed 3", "cleaned.items: max_age: observed 9 (stale)"]
    checks = {"checks": 40, "failed": 0, "warnings": warnings, "dbt_tests": {"a": "pass", "b": "warn"}}
    plain = Receipt("run_7", "abc", "2026-11-25T04:00:00+00:00", "", "2026-11-25T04:12:00+00:00", "", "")
    return replace(plain, tables=tables, checks=checks)


def shown(found: Receipt | None) -> Shown:
    [figure] = compute(report(None, FIGURE), PROOF, Lake(lambda query: [], receipt=found))
    return figure


def test_age_checks_quarantine_and_held_tables_are_told() -> None:
    figure = shown(
        receipt(
            orders=table(quarantine_rows=3, reasons={"no_customer": 1, "negative_total": 2}),
            items=table(),
            refunds=table(mode="held back", held_since="2026-11-20T08:00:00+00:00", reason="column <total> is gone"),
        )
    )
    assert [(tile.label, tile.value, tile.note) for tile in figure.tiles] == [
        ("Shop read", "04:00 UTC", "on 2026-11-25; published 12 minutes later"),
        ("Checks passed", "38 of 40", "2 warned"),
        ("Tests of the marts passed", "1 of 2", ""),
        ("Rows in quarantine", "3", "in 1 of 3 tables"),
        ("Tables held back", "1 of 3", "refunds"),
    ]
    assert text(figure.rows) == [
        ["orders", "3", "negative_total (2), no_customer (1)"],
        ["refunds", "0", "held back, shown as of 2026-11-20 08:00 UTC: column <total> is gone"],
    ]
    assert figure.remarks == ("Warning of the audit: cleaned.items: max_age: observed 9 (stale).",)
    page = pages.html(report(None, FIGURE), [figure], PROOF).decode()
    assert "column &lt;total&gt; is gone" in page
    assert "run_7" in page


def test_that_all_is_well_is_said_too_and_so_is_that_nothing_is_known() -> None:
    assert "No table is held back, and no row waits in quarantine." in shown(receipt(items=table())).remarks
    gone = shown(None)
    assert gone.tiles == ()
    assert gone.remarks == (
        "The receipt is no longer kept, so nothing is known of checks, quarantine and held tables.",
    )
