"""The history layer: every version of a row with the time in which it was current (slowly changing dimension, type 2).

``valid_from`` is inclusive and ``valid_to`` exclusive; the current version has no ``valid_to``. A new version begins
when a column other than the cursor changes.
"""

from __future__ import annotations

from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lake.contracts import EXTRACTED_AT, Contract
from spark_jobs.session import Lake, columns_of, one_value, row_bytes, small

FROM, TO, CURRENT = "valid_from", "valid_to", "is_current"


def update(
    lake: Lake, contract: Contract, rows: DataFrame, count: int, instant: datetime, gone: DataFrame | None
) -> None:
    """Close the versions that ended, then begin those that are new.

    A task that is killed in between finds, when it is tried again, the new rows without a current version.

    Args:
        rows: valid rows as they are now: the contract's columns and the marks.
        count: how many they are, at most.
        instant: as of which the source was read.
        gone: keys that left; ``None`` says that ``rows`` is the whole table, and every current version without a row
            is closed.
    """
    table, key = contract.table, list(contract.key)
    none_yet = {FROM: F.lit(None).cast("timestamp"), TO: F.lit(None).cast("timestamp"), CURRENT: F.lit(True)}
    lake.ensure("history", table, columns_of(rows.withColumns(none_yet)))
    known = lake.table("history", table)
    if gone is None:
        gone = known.where(CURRENT).select(*key).join(rows.select(*key), key, "left_anti")
    else:
        known = known.join(small(rows.select(*key), count, row_bytes(contract, key)), key, "left_semi")
    # Keys and instants alone: neither the rows nor an instant, which is another in every run, are part of one piece of
    # generated code, which Spark would compile anew for every run.
    changed = _changed(contract, rows, known, instant).localCheckpoint()
    ends = changed.where("_held").select(*key, F.col(FROM).alias("_ends_at"))
    ends.unionAll(gone.select(*key, F.lit(instant).alias("_ends_at"))).createOrReplaceTempView(f"ends_{table}")
    lake.spark.sql(
        f"""
        MERGE INTO {lake.name("history", table)} h USING ends_{table} v
        ON {" AND ".join(f"h.`{name}` = v.`{name}`" for name in key)} AND h.{CURRENT}
        WHEN MATCHED THEN UPDATE SET h.{TO} = v._ends_at, h.{CURRENT} = false
        """
    )
    begun = changed.count()
    if begun:
        versions = rows.join(changed.select(*key, FROM), key).withColumns(
            {name: none_yet[name] for name in (TO, CURRENT)}
        )
        lake.append("history", table, versions.select(*rows.columns, FROM, TO, CURRENT), begun)


def _changed(contract: Contract, rows: DataFrame, known: DataFrame, instant: datetime) -> DataFrame:
    """Keys of the rows that begin a version, when it begins, and whether it ends another (``_held``)."""
    key = list(contract.key)
    value = one_value(contract, [name for name in contract.schema.names if name not in (*key, contract.cursor)])
    current = known.where(CURRENT).select(
        *key, value.alias("_old"), F.col(FROM).alias("_since"), F.lit(True).alias("_held")
    )
    closed = known.where(~F.col(CURRENT)).groupBy(*key).agg(F.max(TO).alias("_until"))
    written = F.coalesce(F.col(f"`{contract.cursor}`"), F.col(EXTRACTED_AT)) if contract.cursor else F.col(EXTRACTED_AT)
    return (
        rows.select(*key, value.alias("_new"), written.alias("_written"))
        .join(current, key, "left")
        .where(F.col("_held").isNull() | ~F.col("_new").eqNullSafe(F.col("_old")))
        .join(closed, key, "left")
        .select(*key, _begin(F.lit(instant)).alias(FROM), "_held")
    )


def _begin(instant: Column) -> Column:
    """When a version begins: when the source wrote it, as its cursor says, and otherwise when it was seen.

    The cursor of a row that was refused and is valid again, or that changed without it, lies before the end of the
    version before; then it is the instant of the run, so that versions of a row do not overlap.
    """
    written, since, until = F.col("_written"), F.col("_since"), F.col("_until")
    is_after = F.coalesce(written > since, F.lit(True)) & F.coalesce(written >= until, F.lit(True))
    return F.when(is_after, F.least(written, instant)).otherwise(instant)
