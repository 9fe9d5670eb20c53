"""How the tables of a source stand: what the last run said of each."""

from __future__ import annotations

from lake.extract import manifest
from lake.extract.manifest import Manifest
from lake.ledger import receipts


def manifests(source: str, published: str) -> list[Manifest]:
    """What the newest run said of each table that has read the source and published it, or found it to be as published.

    Args:
        published: the run that published the lake.

    Returns:
        Nothing where neither has read this source.
    """
    for run_id in (receipts.newest_unchanged_since(published), published):
        if run_id:
            try:
                return manifest.read_all(source, run_id)
            except FileNotFoundError:
                continue  # it did not read this source, or a later run that found nothing has just taken its place
    return []
