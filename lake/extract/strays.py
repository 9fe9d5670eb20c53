"""Removes what tries of a run have left in the landing zone and its manifest does not name."""

from __future__ import annotations

import logging

from lake import storage
from lake.extract import manifest
from lake.extract.manifest import Manifest

log = logging.getLogger(__name__)


def remove(source: str, run_id: str, manifests: list[Manifest]) -> list[str]:
    """Delete files of other tries, broken-off files and checkpoints; the addresses of what was deleted.

    Only after the run's manifest is written, which decides what counts.
    """
    removed = []
    for entry in manifests:
        kept = {part.uri for part in (*entry.parts, *entry.deletes)}
        folder = manifest.folder(source, entry.table, run_id)
        removed += [uri for uri in storage.list_keys(folder) if uri not in kept]
    for uri in removed:
        storage.delete(uri)
    if removed:
        log.info("removed %s files that the run %s does not name", len(removed), run_id)
    return removed
