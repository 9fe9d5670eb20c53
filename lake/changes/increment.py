"""What an increment is: which rows to read, which keys are gone, and what the next run must know.

An increment is found inside the run's snapshot and read there too. Three ways lead to one (`binlog`, `cursor`,
`sweep`), and a table for which none can be trusted is read whole: whoever finds that out raises `Resnapshot`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

import pyarrow as pa

from lake.changes.ranges import Range

Way = Literal["full", "binlog", "cursor", "sweep"]
"""How a table's changes are found; ``full``: all of its rows are read."""


class Held(Protocol):
    """What the lake holds of one table as of the last published run: the rows in ``cleaned`` and in ``quarantine``."""

    def rows(self, ranges: Sequence[Range], columns: Sequence[str]) -> Iterable[pa.RecordBatch]:
        """At least the rows whose keys lie in one of the ranges; what lies outside is left out by the caller.

        Args:
            columns: those of each batch, in this order and of the contract's `read_schema`. `_problems` is what
                quarantine holds, and NULL of what is in ``cleaned``.
        """

    def since(self, instant: datetime) -> pa.Table:
        """Rows whose cursor is after an instant, UTC: all columns of the contract's `read_schema`."""


class Resnapshot(Exception):
    """What changed since the last run cannot be told: the table has to be read whole.

    Attributes:
        reason: one line for the log and the manifest.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Piece:
    """Rows of the table to be read, as one condition on its index.

    Attributes:
        condition: a template of SQL with its values in place, as `reader.stream` takes it; empty for every row.
        known: gives rows that the lake holds; a row that equals one of them value for value is not landed again.
            Called when the piece is read, so that only one piece's rows are in memory.
    """

    condition: str
    known: Callable[[], pa.Table] | None = None


@dataclass(frozen=True)
class Increment:
    """What changed in one table since the last published run.

    Attributes:
        pieces: rows to land, in conditions that do not overlap within the increment's own way of finding them; a row
            that two pieces give is the same row of the same snapshot. They may go into one file.
        deleted: keys that the source has no more; the contract's key columns, in its types.
        state: sums that were computed on the way, plain JSON, for `increments.state_after`.
        found: counts for the log and the manifest, e.g. ``{"inserted": 3}``.
        again: rows to land besides, unless one of the pieces has given them.
    """

    pieces: list[Piece]
    deleted: pa.Table
    state: dict[str, Any]
    found: dict[str, int] = field(default_factory=dict)
    again: list[Piece] = field(default_factory=list)
