"""How far apart the instants of a schedule lie."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from croniter import croniter  # type: ignore[import-untyped]

LOOKED_AHEAD = 1000
"""Scheduled instants: enough for every gap of a schedule by hours and days of the week."""


def longest_gap(cron: str, missed: int = 0) -> timedelta:
    """The longest time from one scheduled instant to the next, or, where some are missed, to the one behind those."""
    instants = croniter(cron, datetime.now(UTC))
    ahead: list[datetime] = [instants.get_next(datetime) for _ in range(LOOKED_AHEAD)]
    return max(after - before for before, after in zip(ahead, ahead[missed + 1 :], strict=False))
