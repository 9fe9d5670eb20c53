"""Which published runs a DAG that waits for the published lake works on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PROOF = ("run_id", "lake_commit", "source_instant")


def published_run(context: Mapping[str, Any]) -> dict[str, str]:
    """Run, commit and source instant that the triggering event carries.

    Of several events (publishes that happened while the DAG was busy) the last one counts: the newest lake is what
    people want to see. A DAG run that no event triggered, one started by hand, takes the newest receipt.

    Raises:
        LakeError: there is no event, and nothing was published yet.
    """
    return published_runs(context)[-1]


def published_runs(context: Mapping[str, Any]) -> list[dict[str, str]]:
    """The same of every event, the first one first, for a DAG that leaves no publish out. Raises as `published_run`."""
    by_asset = context.get("triggering_asset_events") or {}
    events = sorted((event for events in by_asset.values() for event in events), key=lambda event: event.timestamp)
    if events:
        return [{name: str(event.extra[name]) for name in PROOF} for event in events]
    from lake.ledger import receipts

    receipt = receipts.latest()
    return [{name: getattr(receipt, name) for name in PROOF}]
