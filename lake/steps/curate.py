"""Brings the star schema up to date with what was cleaned."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lake.extract import manifest
from lake.ledger import journal
from lake.run import Run
from lake.steps import cleaning, in_force
from lake.steps.logged import logged

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

log = logging.getLogger(__name__)


@logged
def curate(spark: SparkSession, run: Run) -> dict[str, int]:
    """Build the curated tables that are stale; rows written per table. Without the shop there are none.

    The journal keeps the rows ``written``, what is ``held``, and the ``months`` in which order items changed, or none
    where that cannot be told, as after a table was held back: what is made of it has missed what changed meanwhile.

    What is made of a table that is held back stays as it is too: new orders beside the items of old ones would be no
    state that the shop ever had. When the table is held no longer, it is made anew.
    """
    written: dict[str, int] = {}
    months: list[str] | None = None
    left: set[str] = set()
    if run.has_marts:
        from spark_jobs.curated import curate as curate_tables
        from spark_jobs.curated import made_of

        landed = manifest.read_run(run.sources, run.run_id)
        left = made_of({one.table for one in landed if one.holds_back})
        full = {one.table for one in landed if not one.holds_back and (one.mode == "full" or one.was_held)}
        touched = full | cleaning.changed_tables(run)
        files = {one.table: [part.uri for part in (*one.parts, *one.deletes)] for one in landed}
        curated = curate_tables(spark, run, in_force.contracts(run), full, touched, files, left)
        written = curated.written
        if curated.months is not None and not any(one.was_held for one in landed):
            months = [month.isoformat() for month in curated.months]
        if left:
            log.error("%s stay as they are: they are made of tables that are held back", ", ".join(sorted(left)))
    else:
        log.warning("no star schema: it is made of the shop's tables, which this run does not read")
    journal.write(run.run_id, "curate", {"written": written, "held": sorted(left), "months": months})
    return written
