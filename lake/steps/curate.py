"""Brings the star schema up to date with what was cleaned."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lake.extract import manifest
from lake.ledger import journal
from lake.run import Run
from lake.steps import cleaning

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

log = logging.getLogger(__name__)


def curate(spark: SparkSession, run: Run) -> dict[str, int]:
    """Build the curated tables that are stale; rows written per table. Without the shop there are none."""
    written: dict[str, int] = {}
    if run.has_marts:
        from spark_jobs.curated import curate as curate_tables

        full = {landed.table for landed in manifest.read_run(run.sources, run.run_id) if landed.mode == "full"}
        written = curate_tables(spark, run, run.contracts(), full, full | cleaning.changed_tables(run))
    else:
        log.warning("no star schema: it is made of the shop's tables, which this run does not read")
    journal.write(run.run_id, "curate", written)
    return written
