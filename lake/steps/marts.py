"""Builds the business metrics on the run's branch."""

from __future__ import annotations

import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lake.layers import marts as marts_layer
from lake.ledger import journal
from lake.platform import sql
from lake.run import Run

log = logging.getLogger(__name__)


def marts(run: Run) -> dict[str, Any]:
    """Build and test the marts with dbt; rows per model, tests, and the manifest's hash. Without the shop none.

    Raises:
        AuditError: a test failed.
        LakeError: a model could not be built.
    """
    built: dict[str, Any] = {"manifest_sha256": "", "rows": {}, "tests": {}}
    if run.has_marts:
        with TemporaryDirectory() as target, sql.catalog_at(run.branch, run.branch):
            result = marts_layer.build(run.branch, Path(target))
        built = {"manifest_sha256": result.manifest_sha256, "rows": result.rows, "tests": result.tests}
    else:
        log.warning("no marts: they are made of the shop's tables, which this run does not read")
    journal.write(run.run_id, "marts", built)
    return built
