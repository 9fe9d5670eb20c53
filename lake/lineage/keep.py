"""Keeps the lineage of what was published in ``ops.lineage``, where it has changed."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime

from lake.contracts import Contract
from lake.layers import built
from lake.ledger import code, lineage_ledger
from lake.lineage import build, events
from lake.platform import storage
from lake.reports import definition
from lake.run import Run
from lake.settings import settings
from lake.source import sources

log = logging.getLogger(__name__)

_NEWEST = f"{storage.AUDIT}/lineage/newest.json"
"""Of what the lineage that is kept was read, so that a run that changes none of it need not read it again."""

_ROOTS = ("lake/lineage", "lake/contracts", "lake/layers", "spark_jobs", "dbt", "requirements.txt")


def keep(run: Run, published_at: datetime, contracts: Mapping[str, Contract]) -> bool:
    """Keep the lineage of a run, unless it is that of the run before; whether it was kept.

    Args:
        published_at: with a time zone.
        contracts: under which the run has read its tables, by name.

    Raises:
        LakeError: a model, a builder or a query cannot be read.
    """
    read_from = built.fingerprint(str(run.has_marts), _fingerprint(contracts))
    if read_from == _newest():
        return False
    found = build.made(contracts, run.has_marts)
    known = sources.known()
    # The same for every run that has this lineage.
    sha256 = built.fingerprint(*(one.json for one in events.events(found, known, "", datetime.min)))
    of_run = events.events(found, known, run.run_id, published_at)
    is_kept = lineage_ledger.write(run.run_id, published_at, of_run, sha256)
    storage.put(_NEWEST, json.dumps(read_from).encode(), "application/json")
    log.info("lineage of %d jobs: %s", len(of_run), "kept" if is_kept else "as it was")
    return is_kept


def _fingerprint(contracts: Mapping[str, Contract]) -> str:
    """Of everything that the lineage is read from."""
    reports = [file.read_text() for file in sorted(definition.DEFINITIONS.glob("*.yml"))]
    agreed = [contracts[name].model_dump_json() for name in sorted(contracts)]
    places = [f"{source.name}={source.where}" for source in sources.known().values()]
    return built.fingerprint(code.of(_ROOTS), settings().alert_rules.read_text(), *reports, *places, *agreed)


def _newest() -> str | None:
    try:
        return str(json.loads(storage.get(_NEWEST)))
    except FileNotFoundError:
        return None
