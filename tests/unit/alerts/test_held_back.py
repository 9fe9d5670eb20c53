"""Tables that are held back are told until somebody has settled them."""

from __future__ import annotations

from typing import Any

from lake.alerts import held_back
from lake.ledger.receipts import Receipt

SINCE = "2026-01-01T00:00:00+00:00"


def receipt(**tables: dict[str, Any]) -> Receipt:
    return Receipt("r", "", "", "", "", "", "", tables=tables)


def held(source: str, reason: str, since: str = SINCE) -> dict[str, Any]:
    return {"source": source, "mode": "held back", "held_since": since, "reason": reason}


def test_a_table_is_told_with_the_reason_and_since_when() -> None:
    read = {"source": "crm", "mode": "increment"}
    (alert,) = held_back.told(receipt(crm_a=held("crm", "column a is gone"), crm_b=read))
    assert alert.identity == {
        "alertname": "TableHeldBack", "severity": "warning", "team": "data", "source": "crm", "table": "crm_a",
    }  # fmt: skip
    assert alert.summary == (
        "crm_a of crm is held back: column a is gone; the lake shows it as of 2026-01-01T00:00:00 UTC"
    )
    assert "lake follow" in alert.way_out


def test_a_table_that_its_contract_keeps_needs_nobody() -> None:
    gone = receipt(crm_a=held("crm", "the source has it no longer") | {"mode": "gone"})
    assert held_back.told(gone) == []
    assert gone.remarks() == [
        "crm_a is gone from its source and stays, as of 2026-01-01T00:00:00 UTC, as its contract says"
    ]


def test_a_source_that_is_away_is_told_once() -> None:
    away = held("crm", "does not answer")
    found = held_back.told(receipt(crm_a=away, crm_b=held("crm", "does not answer", ""), wms_a=held("wms", "x", "")))
    assert [(alert.name, alert.labels) for alert in found] == [
        ("SourceHeldBack", {"source": "crm"}),
        ("TableHeldBack", {"source": "wms", "table": "wms_a"}),
    ]
    assert "the lake has never shown it" in found[1].summary
