"""Builds the business metrics on the run's branch."""

from __future__ import annotations

import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lake.extract import manifest
from lake.layers import dbt_artifacts
from lake.layers import marts as marts_layer
from lake.ledger import journal
from lake.ledger.receipts import Receipt
from lake.platform import sql
from lake.run import Run
from lake.steps import news
from lake.steps.logged import logged

log = logging.getLogger(__name__)

INPUTS = ("cleaned", "curated")
"""Layers that marts are made of."""


@logged
def marts(run: Run) -> dict[str, Any]:
    """Build and test with dbt the marts whose inputs changed; rows per model, tests, and the manifest's hash.

    Without the shop there are none. Code that changed builds them all.

    Raises:
        AuditError: a test failed.
        LakeError: a model could not be built.
    """
    built: dict[str, Any] = {"manifest_sha256": "", "rows": {}, "tests": {}}
    last = news.before(run)
    changed = _changed(run, last) if last else None
    if not run.has_marts:
        log.warning("no marts: they are made of the shop's tables, which this run does not read")
    elif last and not changed:
        log.info("no mart is built: their inputs are those of %s", last.run_id)
        built["manifest_sha256"] = last.dbt_manifest_sha256
    else:
        with TemporaryDirectory() as target, sql.catalog_at(run.branch, run.branch):
            months = journal.read(run.run_id, "curate")["months"] if changed else None
            try:
                result = marts_layer.build(run.branch, Path(target), changed, _held(run), months)
            finally:
                dbt_artifacts.keep(run.run_id, Path(target))
        built = {"manifest_sha256": result.manifest_sha256, "rows": result.rows, "tests": result.tests}
    journal.write(run.run_id, "marts", built)
    return built


def _changed(run: Run, last: Receipt) -> set[str]:
    """Inputs that are others than at the last publish, and those that were held back until now: the marts that are made
    of these were left out meanwhile, and may have missed changes of their other inputs."""
    resumed = {f"cleaned.{one.table}" for one in manifest.read_run(run.sources, run.run_id) if one.was_held}
    return news.changed_since(run, last, INPUTS) | resumed


def _held(run: Run) -> list[str]:
    """Inputs that are held back, with what is made of them."""
    tables = [f"cleaned.{one.table}" for one in manifest.read_run(run.sources, run.run_id) if one.holds_back]
    return [*tables, *(f"curated.{name}" for name in journal.read(run.run_id, "curate")["held"])]
