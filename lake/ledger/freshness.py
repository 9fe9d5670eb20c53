"""As of which instant the lake shows each table."""

from __future__ import annotations

from collections.abc import Set
from datetime import UTC, datetime

from lake.ledger import receipts

LOOK_BACK = 50
"""Receipts that are looked at, the newest first: a table that none of them names counts as never shown."""


def shown(tables: Set[str]) -> dict[str, datetime]:
    """The instant at which the source held what the lake shows of a table; of tables that it does not show, nothing.

    Args:
        tables: that are asked for; the search ends when all are found. Others may be among what is returned.
    """
    found: dict[str, datetime] = {}
    for receipt in receipts.newest(LOOK_BACK):
        for table, counts in receipt.tables.items():
            if counts.get("mode") in receipts.NOT_READ and not counts["held_since"]:
                continue  # it never was read
            source = receipt.sources.get(counts.get("source", ""), {})
            said = counts.get("held_since") or source.get("instant", receipt.source_instant)
            instant = datetime.fromisoformat(said)
            instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
            found[table] = max(instant, found.get(table, instant))
        if tables <= found.keys():
            break
    return found
