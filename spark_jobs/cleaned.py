"""The cleaned layer: the current state of every table, what is refused and why, and what was before.

A row of the source is in ``cleaned`` or in ``quarantine``, never in both, never in neither.
"""

from __future__ import annotations

import logging
from functools import reduce
from operator import and_

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lake.contracts import DELETE, EXTRACTED_AT, OPERATION, Contract
from lake.errors import AuditError
from lake.layers.outcome import Outcome
from lake.ordered import in_order
from lake.run import Run
from lake.settings import settings
from spark_jobs import history, rules
from spark_jobs.candidates import Candidates, Work
from spark_jobs.limit import Limit
from spark_jobs.session import TABLES_AT_ONCE, Lake, columns_of, one_value, small

log = logging.getLogger(__name__)


def clean(
    spark: SparkSession, run: Run, tables: list[str], contracts: dict[str, Contract], work: Work
) -> list[Outcome]:
    """Bring some tables of the cleaned layer, with quarantine and history, to the state that the run read.

    The content of tables that were read whole is replaced; into the others, what changed is merged. Parents come
    before the tables that point at them, and tables that do not wait for each other are worked on at the same time.
    """
    lake = Lake(spark, run)
    lost = set(work.full)

    def one(table: str) -> Outcome:
        with limit.at(f"cleaned.{table}"):
            outcome = _table(lake, Candidates(lake, contracts[table], work, lost), contracts[table], work)
        if outcome.refused or outcome.deleted:
            lost.add(table)
        return outcome

    parents = {table: {parent for parent, _ in contracts[table].references.values()} & {*tables} for table in tables}
    with Limit(spark, settings().spark_timeout_seconds) as limit:
        outcomes = in_order(parents, one, TABLES_AT_ONCE)
    return [outcomes[table] for table in tables]


def _table(lake: Lake, candidates: Candidates, contract: Contract, work: Work) -> Outcome:
    table = contract.table
    if not candidates.exist():
        return Outcome(table)
    judged = candidates.judged()
    columns = columns_of(judged)
    lake.ensure("quarantine", table, columns)
    lake.ensure("cleaned", table, {name: kind for name, kind in columns.items() if name not in rules.ONLY_REFUSED})
    if candidates.is_full:
        outcome = _replace(lake, contract, judged, work.read[table])
    else:
        outcome = _merge(lake, contract, candidates.new_rows(), judged)
    if outcome.judged != outcome.valid + outcome.refused:
        raise AuditError(
            f"{table}: {outcome.judged} rows judged, but {outcome.valid} valid and {outcome.refused} refused",
            "rows were lost or doubled on the way: this is a defect of the platform, keep the branch and report it",
        )
    log.info("cleaned.%s: %s", table, outcome)
    return outcome


def _replace(lake: Lake, contract: Contract, judged: DataFrame, read: int) -> Outcome:
    """Take a whole table in. Its rows were read once each, by disjoint ranges of a unique key, so none is double.

    Args:
        read: rows that the extraction landed, by its manifest.
    """
    table = contract.table
    valid = lake.replace_rows("cleaned", table, rules.valid(judged))
    reasons: dict[str, int] = {}
    refused = 0
    if valid != read or lake.count("quarantine", table):
        refused = lake.replace_rows("quarantine", table, rules.refused(judged))
        reasons = _reasons(lake, table)
    if contract.history:
        history.update(lake, contract, lake.table("cleaned", table), gone=None)
    return Outcome(table, read, valid, refused, 0, reasons)


def _merge(lake: Lake, contract: Contract, new_rows: DataFrame, judged: DataFrame) -> Outcome:
    """Take an increment in: what changed replaces what was held, and the list of refused rows is written anew.

    The order lets a task that is killed anywhere find the same rows to judge when it is tried again: refused rows are
    put into quarantine before ``cleaned`` lets go of them, and rows that are mended leave quarantine after ``cleaned``
    has them. What the run itself read is in ``raw``.
    """
    table, key = contract.table, list(contract.key)
    # Pinned: the rows come from the very tables that are written below, and would be others when read again.
    judged = judged.localCheckpoint()
    deleted = new_rows.where(F.col(OPERATION) == DELETE)
    refused = rules.refused(judged)
    counts = judged.agg(F.count("*"), F.count(F.when(F.size(rules.REASONS) > 0, 1))).first()
    assert counts is not None
    deletes, all_judged, all_refused = deleted.count(), int(counts[0]), int(counts[1])
    valid = rules.valid(judged)
    leaving = deleted.select(*key, EXTRACTED_AT).unionAll(refused.select(*key, EXTRACTED_AT))
    had_waiting = lake.count("quarantine", table)
    if all_refused or had_waiting:
        kept = lake.table("quarantine", table).join(refused.select(*key), key, "left_anti")
        lake.replace_rows("quarantine", table, refused.unionByName(kept))
    changed = _changed(lake.table("cleaned", table), valid, contract, all_judged).localCheckpoint()
    outdated = changed.select(*key).unionAll(leaving.select(*key))
    lake.replace_keys("cleaned", table, key, outdated, changed, all_judged + deletes)
    if contract.history:
        history.update(lake, contract, valid, gone=leaving)
    reasons: dict[str, int] = {}
    if had_waiting:
        lake.replace_rows("quarantine", table, refused)
    if all_refused:
        reasons = _reasons(lake, table)
    return Outcome(table, all_judged, all_judged - all_refused, all_refused, deletes, reasons)


def _changed(held: DataFrame, rows: DataFrame, contract: Contract, count: int) -> DataFrame:
    """Those of some rows that are not held as they are: read again, a row keeps the marks of the run that changed it.

    Args:
        count: how many rows there are, at most.
    """
    key, names = list(contract.key), contract.schema.names
    value = one_value(contract, names)
    sought = small(
        rows.select(*[F.col(f"`{name}`").alias(f"_key_{i}") for i, name in enumerate(key)], value.alias("_new")), count
    )
    is_key = [F.col(f"`{name}`") == F.col(f"_key_{i}") for i, name in enumerate(key)]
    same = held.select(*key, value.alias("_old")).join(
        sought, reduce(and_, is_key, F.col("_old").eqNullSafe(F.col("_new"))), "left_semi"
    )
    return rows.join(small(same.select(*key), count), key, "left_anti").select(*rows.columns)


def _reasons(lake: Lake, table: str) -> dict[str, int]:
    exploded = lake.table("quarantine", table).select(F.explode(rules.REASONS).alias("reason"))
    return {row["reason"]: row["count"] for row in exploded.groupBy("reason").count().collect()}
