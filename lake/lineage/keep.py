"""Keeps the lineage of what was published in ``ops.lineage``, where it has changed."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lake.contracts import Contract
from lake.layers import built
from lake.ledger import lineage_ledger
from lake.lineage import build, events
from lake.platform import storage
from lake.run import Run
from lake.source import sources

log = logging.getLogger(__name__)

_NEWEST = f"{storage.AUDIT}/lineage/newest.json"
"""Of what a lineage was read the last time, and its SHA-256, so that nobody has to read it again from the same."""


@dataclass(frozen=True)
class Kept:
    """The lineage of a run: the SHA-256 by which it is found, and whether it is another than that of the run before."""

    sha256: str
    is_new: bool


def keep(run: Run, published_at: datetime, contracts: Mapping[str, Contract]) -> Kept:
    """Keep the lineage of a run, unless it is that of the run before.

    Args:
        published_at: with a time zone.
        contracts: under which the run has read its tables, by name.

    Raises:
        LakeError: a model, a builder or a query cannot be read.
    """
    known = sources.known()
    places = [f"{source.name}={source.where}" for source in known.values()]
    read_from = built.fingerprint(build.fingerprint(contracts, run.has_marts), *places)
    sha256 = _read_before(read_from)
    if sha256 is not None and sha256 == lineage_ledger.sha256_at(published_at):
        return Kept(sha256, is_new=False)
    found = build.read(contracts, run.has_marts)
    # The same for every run that has this lineage.
    sha256 = built.fingerprint(*(one.json for one in events.events(found, known, "", datetime.min)))
    of_run = events.events(found, known, run.run_id, published_at)
    kept = Kept(sha256, lineage_ledger.write(run.run_id, published_at, of_run, sha256))
    storage.put(_NEWEST, json.dumps({"read_from": read_from, "sha256": sha256}).encode(), "application/json")
    log.info("lineage of %d jobs: %s", len(of_run), "kept" if kept.is_new else "as it was")
    return kept


def _read_before(read_from: str) -> str | None:
    """The SHA-256 of the lineage that is read from this, if it was read the last time."""
    try:
        newest = json.loads(storage.get(_NEWEST))
    except FileNotFoundError:
        return None
    return str(newest["sha256"]) if newest["read_from"] == read_from else None
