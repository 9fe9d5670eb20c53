"""Removes landing files that nobody refers to, and finishes what a killed publish has left."""

from __future__ import annotations

from datetime import UTC, datetime

from lake.maintenance import collect


def tidy() -> int:
    """Delete landing files that no table, no branch and no manifest refers to; how many there were. Runs that were
    merged and then killed get their receipts first.

    Nothing of a published run is touched, nor of one whose branch is there: it may be running. No receipt is forgotten.
    """
    return len(collect.landing(datetime.now(UTC)))
