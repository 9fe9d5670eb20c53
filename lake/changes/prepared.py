"""XA transactions that one run saw prepared and a later one sees decided.

Their rows stand in the binlog once, when the transaction is prepared, and are visible once it has committed. So a run
leaves the keys of those that were not decided, and the run that meets the decision reads these keys' rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from mysql_arrow import binlog

from lake.changes import by_key
from lake.contracts import Contract

MOST_KEYS = 10_000
"""Keys of one table that a state holds; of transactions beyond them only that they touched it."""

Keys = list[list[Any]]
"""In JSON's values, as `by_key.to_json` has them."""


@dataclass(frozen=True)
class After:
    """What became of them in a pass.

    Attributes:
        left: those that are not decided.
        committed: keys of the ones that committed.
        hidden: why the table has to be read anew; empty if it need not.
    """

    left: Prepared
    committed: pa.Table
    hidden: str = ""


@dataclass(frozen=True)
class Prepared:
    """Of one table, by the transactions' names: their keys, none if they did not touch it, or None if these are not
    known. A transaction that is not named was prepared before the table was first read."""

    keys: dict[str, Keys | None] = field(default_factory=dict)

    def after(self, contract: Contract, reading: binlog.Pass, told: pa.Table | None) -> After:
        """Follow a pass.

        Args:
            told: the keys that it found of this table, to which the pass's numbers refer; None if it told none.
        """
        left = dict(self.keys)
        committed: Keys = []
        hidden = ""
        for decided in reading.decided:
            keys = self.keys.get(decided.xid)
            if decided.commits and keys is None:
                when = "before the last runs" if decided.xid not in self.keys else "with too many rows to name"
                hidden = hidden or f"an XA transaction that was prepared {when} has committed"
            committed += keys or [] if decided.commits else []
            if decided.is_over:
                left.pop(decided.xid, None)
        for open_one in reading.prepared:
            left[open_one.xid] = _keys(contract, told, open_one.keys.get(contract.name_in_source, []))
        return After(Prepared(_bounded(left)), by_key.from_json(contract, committed), hidden)


def _keys(contract: Contract, told: pa.Table | None, numbers: list[int] | None) -> Keys | None:
    if numbers is None or (numbers and told is None):
        return None
    if not numbers:
        return []
    assert told is not None
    return by_key.to_json(told.take(numbers).select(list(contract.key)))


def _bounded(keys: dict[str, Keys | None]) -> dict[str, Keys | None]:
    """The smallest ones keep theirs."""
    room = MOST_KEYS
    kept: dict[str, Keys | None] = {}
    for xid, found in sorted(keys.items(), key=lambda one: (len(one[1] or []), one[0])):
        room -= len(found or [])
        kept[xid] = found if room >= 0 else None
    return kept
