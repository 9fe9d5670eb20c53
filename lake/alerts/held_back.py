"""Tables that are held back, as the newest receipt has them: told until a person has settled them."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from lake.alerts.alert import Alert
from lake.alerts.look import Look
from lake.ledger import receipts
from lake.ledger.receipts import HELD_BACK, Receipt

TABLE, SOURCE = "TableHeldBack", "SourceHeldBack"


def look(now: datetime) -> Look:
    """The tables that are held back; those of one source that are so for one reason, as one.

    Raises:
        ServiceError: the object store is away.
    """
    newest = next(receipts.newest(1), None)
    return Look(told(newest) if newest else [], lambda labels: labels["alertname"] in (TABLE, SOURCE))


def told(receipt: Receipt) -> list[Alert]:
    """The alerts that a receipt gives rise to."""
    found: dict[tuple[str, str], dict[str, dict[str, Any]]] = defaultdict(dict)
    for table, counts in receipt.tables.items():
        if counts["mode"] == HELD_BACK:
            found[counts["source"], counts["reason"]][table] = counts
    return [_alert(source, reason, tables) for (source, reason), tables in found.items()]


def _alert(source: str, reason: str, tables: dict[str, dict[str, Any]]) -> Alert:
    since = min((counts["held_since"] for counts in tables.values() if counts["held_since"]), default="")
    shown = f"the lake shows it as of {since[:19]} UTC" if since else "the lake has never shown it"
    if len(tables) == 1:
        (table,) = tables
        what = f"{table} of {source} is held back: {reason}; {shown}"
        way_out = "`lake follow` shows how it differs; correct its contract, or write it anew with `lake add-table`"
        return Alert(TABLE, "warning", what, {"source": source, "table": table}, way_out)
    what = f"{len(tables)} tables of {source} are held back: {reason}; {shown}"
    return Alert(SOURCE, "critical", what, {"source": source}, "`lake sources` shows where it is expected")
