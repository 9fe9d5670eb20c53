"""Versions of the recommendations: which one counts, which there were, and which were refused.

A version is named by the receipt that it was made from. What became of it is a row of ``recommend.versions``; the
newest row that publishes a version, or goes back to one, says which counts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pyarrow as pa
from pyiceberg.expressions import AlwaysTrue

from lake.errors import LakeError, nearest
from lake.recommend import tables

KEPT = 7
"""Versions whose rows are kept; of older ones the card stays."""


class Event(StrEnum):
    """What became of a version."""

    published = "published"
    refused = "refused"
    rolled_back = "rolled back to"


@dataclass(frozen=True)
class Version:
    """An event of a version.

    Attributes:
        at: when it happened, UTC.
        run_id: the receipt that the version was made from.
        lake_commit: of main, at which it was read.
        reason: why it was refused, published all the same, or gone back to; empty where there is nothing to say.
        card: the model card (`lake.recommend.card`).
    """

    at: datetime
    run_id: str
    lake_commit: str
    event: Event
    reason: str
    card: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "at": self.at.isoformat(),
            "receipt": self.run_id,
            "lake_commit": self.lake_commit,
            "event": self.event.value,
            "reason": self.reason,
            "card": self.card,
        }


def history() -> list[Version]:
    """All events, the newest first."""
    rows = tables.rows(tables.VERSIONS, AlwaysTrue()).to_pylist()
    found = [
        Version(
            row["at"], row["run_id"], row["lake_commit"], Event(row["event"]), row["reason"], json.loads(row["card"])
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)


def counting(events: list[Version]) -> Version | None:
    """The version that counts, of events with the newest first; None where none was published."""
    return next((one for one in events if one.event is not Event.refused), None)


def current() -> Version:
    """The version that counts.

    Raises:
        LakeError: none was published yet.
    """
    found = counting(history())
    if found is None:
        raise LakeError("there are no recommendations yet", "`lake recommend run` makes them of the newest receipt")
    return found


def servable(events: list[Version]) -> list[str]:
    """Receipts of the versions whose rows are kept, the one that was published last first.

    The one that counts is among them however old it is.
    """
    published = [one.run_id for one in events if one.event is Event.published]
    now = counting(events)
    kept = list(dict.fromkeys(published))[:KEPT]
    return kept if now is None or now.run_id in kept else [*kept, now.run_id]


def of(run_id: str) -> Version:
    """The newest event of a version.

    Raises:
        LakeError: there is none of this receipt.
    """
    events = history()
    found = next((one for one in events if one.run_id == run_id), None)
    if found is None:
        known = {one.run_id for one in events}
        raise LakeError(f"no recommendations were made from receipt {run_id!r}", nearest(run_id, known))
    return found


def roll_back(run_id: str, reason: str) -> Version:
    """Let an earlier version count again.

    Raises:
        LakeError: there is none of this receipt, it was refused, its rows are no longer kept, or it counts already.
    """
    version, events = of(run_id), history()
    now = counting(events)
    if now is not None and now.run_id == run_id:
        raise LakeError(f"the recommendations of {run_id} count already", "`lake recommend list` shows others")
    kept = servable(events)
    if run_id not in kept:
        raise LakeError(
            f"the recommendations of {run_id} cannot be gone back to: they were refused, or are older than the last "
            f"{KEPT}",
            f"take one of {', '.join(kept) or 'none'}",
        )
    return note(version.run_id, version.lake_commit, Event.rolled_back, reason, version.card)


def note(run_id: str, lake_commit: str, event: Event, reason: str, card: dict[str, Any]) -> Version:
    """Write down what has become of a version, now."""
    version = Version(datetime.now(UTC), run_id, lake_commit, event, reason, card)
    row = {
        "at": version.at,
        "run_id": run_id,
        "lake_commit": lake_commit,
        "event": event.value,
        "reason": reason,
        "card": json.dumps(card),
    }
    tables.append(pa.Table.from_pylist([row], tables.SCHEMAS[tables.VERSIONS]))
    return version
