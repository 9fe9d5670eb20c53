"""How many series there are at most, whatever a lake holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from lake.observe.metrics import LEFT_OUT, Sample

MOST_TABLES = 2_000
"""Tables with series of their own, for each collector."""

MOST_REASONS = 5
"""Reasons that are named of a table's rows in quarantine."""

MOST_CLASSES = 50
"""Classes of errors that are named."""

OTHER = "other"

MOST_SERIES = 35_000
"""Of a lake with `MOST_TABLES` tables and as many marts, some sources and DAGs, with the worst that can befall each at
once. Of each table at most 15: as of, stale after; held, held since, six reasons of quarantine; rows of two layers; two
kinds of drift, verified. Of each mart its rows. Of business figures 1,941, of broken rules 200."""

_Name = TypeVar("_Name")


@dataclass(frozen=True)
class Shown(Generic[_Name]):
    """The tables that have series of their own, and how many have none."""

    tables: frozenset[_Name]
    left_out: int

    def sample(self, collector: str) -> Sample:
        """How many a collector has left out."""
        return LEFT_OUT(self.left_out, collector)


def shown(rows: Mapping[_Name, float], important: Iterable[_Name] = (), most: int | None = None) -> Shown[_Name]:
    """Which tables are shown, where there are more than may be.

    Args:
        rows: how large each is; of those that are not important, the largest are shown.
        important: those with which something is wrong: they come first.
    """
    most = MOST_TABLES if most is None else most
    if len(rows) <= most:
        return Shown(frozenset(rows), 0)
    first = set(important)
    ranked = sorted(rows, key=lambda name: (name not in first, -rows[name], str(name)))
    return Shown(frozenset(ranked[:most]), len(rows) - most)


def commonest(counts: Mapping[str, int], most: int) -> dict[str, int]:
    """The largest counts, and the sum of the others as `OTHER`."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kept, rest = dict(ranked[:most]), sum(count for _, count in ranked[most:])
    return {**kept, OTHER: kept.get(OTHER, 0) + rest} if rest else kept
