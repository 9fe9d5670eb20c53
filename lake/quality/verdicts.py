"""How many rows of a table a run has judged otherwise than they were judged before."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from lake.contracts import Contract
from lake.layers import raw
from lake.layers.keys import Key, keys_of
from lake.run import Run

MOST_KEYS = 1_000_000
"""Refused rows that are told apart by their keys; of more it is only known how many there are."""


@dataclass(frozen=True)
class Rejudged:
    """What has changed in a table's quarantine.

    Attributes:
        refused: rows that wait now, and did not when the run began.
        accepted: rows that waited then, and do no longer.
    """

    refused: int
    accepted: int

    def to_json(self) -> dict[str, int]:
        """Plain values."""
        return asdict(self)


def rejudged(run: Run, contract: Contract) -> Rejudged:
    """Hold a table's quarantine on the run's branch against what it was when the run began."""
    references = (run.base_reference, run.branch)
    counts = [raw.row_count(reference, "quarantine", contract.table) for reference in references]
    if not contract.key or max(counts) > MOST_KEYS:
        before, now = counts
        return Rejudged(max(now - before, 0), max(before - now, 0))
    then, today = (_waiting(reference, contract) for reference in references)
    return Rejudged(len(today - then), len(then - today))


def _waiting(reference: str, contract: Contract) -> set[Key]:
    """Keys of the refused rows."""
    found = raw.find(reference, "quarantine", contract.table)
    if found is None:
        return set()
    return {*keys_of(found.scan(selected_fields=contract.key).to_arrow(), contract.key)}
