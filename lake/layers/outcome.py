"""What cleaning did to a table: what Spark finds, and the audit, the star schema and the receipt go by."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """What cleaning did to one table; counts are rows.

    Attributes:
        judged: rows that were read, had waited in quarantine, or lost their parent.
        valid: of these, rows that keep every rule.
        refused: of these, rows in quarantine now.
        deleted: rows that are gone from the source.
        reasons: how many rows each reason refused; a row can have several.
    """

    table: str
    judged: int = 0
    valid: int = 0
    refused: int = 0
    deleted: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether a row was judged or deleted."""
        return bool(self.judged or self.deleted)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)
