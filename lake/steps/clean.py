"""Brings some tables of the cleaned layer, with quarantine and history, to the state that the run read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lake.extract import manifest
from lake.layers.work import Work
from lake.ledger import journal
from lake.run import Run
from lake.steps import in_force
from lake.steps.logged import logged

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@logged
def clean(spark: SparkSession, run: Run, tables: list[str]) -> dict[str, int]:
    """Clean the tables of one batch; how many they are, and how many of their rows were judged.

    Raises:
        AuditError: rows were lost or doubled on the way.
    """
    from spark_jobs.cleaned import clean as clean_tables

    outcomes = clean_tables(spark, run, tables, in_force.contracts(run), _work(run))
    journal.write(run.run_id, "clean", [outcome.to_json() for outcome in outcomes], part=min(tables))
    return {"tables": len(outcomes), "judged": sum(outcome.judged for outcome in outcomes)}


def _work(run: Run) -> Work:
    manifests = manifest.read_run(run.sources, run.run_id)
    return Work.of(manifests, set(journal.read(run.run_id, "register")["waiting"]))
