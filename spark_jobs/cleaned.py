"""The cleaned layer: the current state of every table, what is refused and why, and what was before.

A row of the source is in ``cleaned`` or in ``quarantine``, never in both, never in neither.
"""

from __future__ import annotations

import logging
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from lake import logs
from lake.contracts import DELETE, OPERATION, READ, Contract
from lake.errors import AuditError
from lake.layers.layout import REASONS
from lake.layers.outcome import Outcome
from lake.layers.sizes import Sizes
from lake.layers.small import SmallTables
from lake.layers.work import Landed, Work
from lake.ordered import in_order
from lake.run import Run
from lake.settings import settings
from lake.tracing import names
from spark_jobs import history, rules
from spark_jobs.bounds import spanning
from spark_jobs.candidates import Candidates
from spark_jobs.limit import Limit
from spark_jobs.session import TABLES_AT_ONCE, Lake, columns_of, one_value, row_bytes, small
from spark_jobs.shares import shares_of

log = logging.getLogger(__name__)

UNCHANGED = "_unchanged"


def clean(
    spark: SparkSession, run: Run, tables: list[str], contracts: dict[str, Contract], work: Work
) -> list[Outcome]:
    """Bring some tables of the cleaned layer, with quarantine and history, to the state that the run read.

    The content of tables that were read whole is replaced; into the others, what changed is merged. Parents come
    before the tables that point at them, and tables that do not wait for each other are worked on at the same time.
    Small ones are taken in together and without Spark.
    """
    lake = Lake(spark, run)
    lost = work.unsure
    sizes = Sizes(run.branch, contracts, work)
    together = SmallTables(run.branch, run.run_id, lost)

    def share(name: str) -> list[Outcome]:
        if shares[name].is_small:
            return together.take_in([sizes.arrived(table) for table in shares[name].tables])
        return [one(table) for table in shares[name].tables]

    def one(table: str) -> Outcome:
        with limit.at(f"cleaned.{table}") as said:
            outcome = _table(lake, Candidates(lake, contracts[table], work, lost), contracts[table])
            said |= {names.TABLE: table, names.ROWS: outcome.judged, names.DELETED: outcome.deleted}
        if outcome.refused or outcome.deleted:
            lost.add(table)
        return outcome

    parents = {table: {parent for parent, _ in contracts[table].references.values()} & {*tables} for table in tables}
    shares = shares_of(parents, sizes.is_small)
    with Limit(spark, settings().spark_timeout_seconds) as limit:
        found = in_order({name: one.after for name, one in shares.items()}, share, TABLES_AT_ONCE)
    outcomes = {outcome.table: outcome for some in found.values() for outcome in some}
    return [outcomes[table] for table in tables]


def _table(lake: Lake, candidates: Candidates, contract: Contract) -> Outcome:
    table = contract.table
    if not candidates.exist():
        return Outcome(table)
    judged = candidates.judged()
    columns = columns_of(judged)
    lake.ensure("quarantine", table, columns)
    lake.ensure("cleaned", table, {name: kind for name, kind in columns.items() if name not in rules.ONLY_REFUSED})
    take_in = _replace if candidates.landed.is_full else _merge
    outcome = take_in(lake, contract, candidates, judged)
    if outcome.judged != outcome.valid + outcome.refused:
        raise AuditError(
            f"{table}: {outcome.judged} rows judged, but {outcome.valid} valid and {outcome.refused} refused",
            "rows were lost or doubled on the way: this is a defect of the platform, keep the branch and report it",
        )
    with logs.about(table=table):
        log.info("cleaned.%s: %s", table, outcome)
    return outcome


def _replace(lake: Lake, contract: Contract, candidates: Candidates, judged: DataFrame) -> Outcome:
    """Take a whole table in. Its rows were read once each, by disjoint ranges of a unique key, so none is double."""
    table, read = contract.table, candidates.landed.read
    valid = lake.replace_rows("cleaned", table, rules.valid(judged))
    reasons: dict[str, int] = {}
    refused = 0
    if valid != read or lake.count("quarantine", table):
        refused = lake.replace_rows("quarantine", table, rules.refused(judged))
        reasons = _reasons(lake, table)
    if contract.history:
        history.update(lake, contract, lake.table("cleaned", table), valid, candidates.landed.instant, gone=None)
    return Outcome(table, read, valid, refused, 0, reasons)


def _merge(lake: Lake, contract: Contract, candidates: Candidates, judged: DataFrame) -> Outcome:
    """Take an increment in: what changed replaces what was held, and the list of refused rows is written anew.

    The order lets a task that is killed anywhere find the same rows to judge when it is tried again: refused rows are
    put into quarantine before ``cleaned`` lets go of them, and rows that are mended leave quarantine after ``cleaned``
    has them. What the run itself read is in ``raw``.
    """
    table, key = contract.table, list(contract.key)
    new_rows = candidates.new_rows()
    landed_keys = _refuse_other_rows(new_rows, contract, candidates.landed)
    # Pinned: the rows come from the very tables that are written below, and would be others when read again.
    judged = judged.localCheckpoint()
    refused = rules.refused(judged)
    all_judged, all_refused, *judged_keys = _counted(judged, F.size(REASONS) > 0, *_ends(contract))
    bounds = spanning(key[0], [*landed_keys, *_pairs(judged_keys)])
    had_waiting = lake.count("quarantine", table)
    if all_refused or had_waiting:
        kept = lake.table("quarantine", table).join(refused.select(*key), key, "left_anti")
        # The lake's table has columns still that the contract has lost.
        lake.replace_rows("quarantine", table, refused.unionByName(kept.select(*refused.columns)))
    held = bounds.within(lake.table("cleaned", table))
    compared = _compared(held, rules.valid(judged), contract, all_judged).localCheckpoint()
    all_compared, unchanged, *_ = _counted(compared, F.col(UNCHANGED))
    changed, all_changed = compared.where(~F.col(UNCHANGED)).drop(UNCHANGED), all_compared - unchanged
    gone = new_rows.where(F.col(OPERATION) == DELETE).select(*key).unionAll(refused.select(*key))
    outdated, all_outdated = changed.select(*key).unionAll(gone), all_changed + candidates.landed.deleted + all_refused
    if all_outdated:
        lake.delete_keys("cleaned", table, small(outdated, all_outdated, row_bytes(contract, key)), bounds)
    added = lake.append("cleaned", table, changed, all_changed) if all_changed else 0
    if contract.history:
        history.update(lake, contract, rules.valid(judged), all_judged, candidates.landed.instant, gone)
    if had_waiting:
        lake.replace_rows("quarantine", table, refused)
    waiting = lake.count("quarantine", table)
    reasons = _reasons(lake, table) if waiting else {}
    return Outcome(table, all_judged, unchanged + added, waiting, candidates.landed.deleted, reasons)


def _refuse_other_rows(new_rows: DataFrame, contract: Contract, landed: Landed) -> list[tuple[Any, Any]]:
    """Whether ``raw`` holds of this run what its extraction wrote; the `_ends` of what was read and what was deleted.

    Raises:
        AuditError: it does not.
    """
    rows = new_rows.groupBy(OPERATION).agg(F.count("*"), *_ends(contract)).collect()
    found = {operation: count for operation, count, *_ in rows}
    read, deleted = found.get(READ, 0), found.get(DELETE, 0)
    if (read, deleted) != (landed.read, landed.deleted):
        raise AuditError(
            f"{contract.table}: raw holds {read} rows read and {deleted} keys deleted of this run, but its extraction "
            f"landed {landed.read} and {landed.deleted}",
            "run again: it reads the source anew. If that does not help, keep the branch and report it",
        )
    return [pair for _, _, *ends in rows for pair in _pairs(ends)]


def _ends(contract: Contract) -> list[Column]:
    """The least and the greatest value of the key's first column, if it is an exact number."""
    first = contract.key[0]
    kind = contract.schema.field(first).type
    is_exact = pa.types.is_integer(kind) or pa.types.is_decimal(kind)
    return [F.min(f"`{first}`"), F.max(f"`{first}`")] if is_exact else []


def _pairs(ends: list[Any]) -> list[tuple[Any, Any]]:
    """The `_ends` of some rows as they were found: one pair, or none where they were not asked for."""
    return [(ends[0], ends[1])] if ends else []


def _counted(rows: DataFrame, condition: Column, *more: Column) -> tuple[int, int, *tuple[Any, ...]]:
    """How many rows there are, of how many the condition holds, and what else is asked of all of them."""
    found = rows.agg(F.count("*"), F.count(F.when(condition, 1)), *more).first()
    assert found is not None
    return tuple(found)


def _compared(held: DataFrame, rows: DataFrame, contract: Contract, count: int) -> DataFrame:
    """Some rows, each with whether it is held as it is: read again, a row keeps the marks of the run that changed it.

    Args:
        count: how many rows there are, at most.
    """
    key, value = list(contract.key), one_value(contract, contract.schema.names)
    keys = small(rows.select(*key), count, row_bytes(contract, key))
    found = held.join(keys, key, "left_semi").select(*key, value.alias("_held"))
    compared = rows.join(found, key, "left").withColumn(UNCHANGED, value.eqNullSafe(F.col("_held")))
    return compared.select(*rows.columns, UNCHANGED)


def _reasons(lake: Lake, table: str) -> dict[str, int]:
    exploded = lake.table("quarantine", table).select(F.explode(REASONS).alias("reason"))
    return {row["reason"]: row["count"] for row in exploded.groupBy("reason").count().collect()}
