"""Removes landing files that nobody refers to, and finishes what a killed publish has left."""

from __future__ import annotations

from lake.extract import strays
from lake.layers import raw
from lake.ledger import publish, receipts
from lake.platform import catalog
from lake.platform.catalog import MAIN
from lake.run import PREFIX
from lake.source import sources


def tidy() -> int:
    """Delete landing files that no table, no branch and no manifest refers to; how many there were. Runs that were
    merged and then killed get their receipts first.

    Nothing of a published run is touched, nor of one whose branch is there: it may be running.
    """
    publish.finish_interrupted()
    return sum(len(strays.sweep(source, _living, _referred)) for source in sources.known())


def _living() -> set[str]:
    """Ids of the runs that are published or may yet be."""
    # In this order: a run has its receipt before its branch is gone.
    branches = {branch.removeprefix(PREFIX) for branch in catalog.branches()}
    return branches | receipts.run_ids()


def _referred() -> set[str]:
    """Addresses of the files that tables of main refer to."""
    tables = [name.removeprefix("raw.") for name in catalog.tables() if name.startswith("raw.")]
    return {uri for table in tables for uri in raw.files(MAIN, table)}
