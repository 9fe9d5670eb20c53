"""What parity found last of each table, read when its ledger has moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lake.ledger import ops, parity_ledger
from lake.observe import bounds
from lake.observe.metrics import DRIFT, VERIFIED, Sample
from lake.observe.news import Remembered
from lake.platform import catalog

NAME = "parity"
HOUR = 3600.0


class Parity:
    """Reads the ledger of parity when there is another sweep in it."""

    def __init__(self) -> None:
        self._remembered: Remembered[list[Sample]] = Remembered(HOUR)

    def collect(self) -> list[Sample]:
        """What the last sweeps found; nothing where there was none.

        Raises:
            ServiceError: the catalog or the object store is away.
        """
        head = catalog.heads().get(ops.BRANCH)
        return self._remembered.get(head, lambda: list(samples(parity_ledger.newest()))) if head else []


def samples(rows: Iterable[Mapping[str, Any]]) -> Iterator[Sample]:
    """What rows of the ledger say: the newest of each table against each server."""
    drift: dict[tuple[str, str], dict[str, int]] = {}
    verified: dict[tuple[str, str], float] = {}
    sizes: dict[tuple[str, str], float] = {}
    for row in rows:
        table = (row["source"], row["table"])
        # What was written before there was a choice was against the source.
        drift.setdefault(table, {})[row["against"] or "source"] = row["drift_rows"]
        sizes[table] = max(sizes.get(table, 0), row["lake_rows"] or 0)
        if row["verified_through"]:
            verified[table] = max(verified.get(table, 0.0), row["verified_through"].timestamp())
    shown = bounds.shown(sizes, (table for table, found in drift.items() if any(found.values())))
    yield shown.sample(NAME)
    for table in sorted(shown.tables):
        for against, count in drift[table].items():
            yield DRIFT(count, *table, against)
        if table in verified:
            yield VERIFIED(verified[table], *table)
