"""Branches of the catalog by what they are for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from lake.ledger import ops
from lake.maintenance.runs import REWRITING
from lake.observe.metrics import BRANCHES, Sample
from lake.platform import catalog
from lake.run import PREFIX

KINDS = ("run", "maintenance", "parity", "other")


def collect() -> list[Sample]:
    """How many there are of each kind.

    Raises:
        ServiceError: the catalog is away.
    """
    return list(samples(catalog.branches()))


def samples(names: Iterable[str]) -> Iterator[Sample]:
    """The branches of some names, counted; main is none of them."""
    counts = Counter(_kind(name) for name in names if name != catalog.MAIN)
    for kind in KINDS:
        yield BRANCHES(counts[kind], kind)


def _kind(name: str) -> str:
    if name.startswith(PREFIX):
        return "run"
    if name.startswith(REWRITING):
        return "maintenance"
    return "parity" if name == ops.BRANCH else "other"
