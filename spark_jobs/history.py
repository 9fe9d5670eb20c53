"""The history layer: every version of a row with the time in which it was current (slowly changing dimension, type 2).

``valid_from`` is inclusive and ``valid_to`` exclusive; the current version has no ``valid_to``. A new version begins
when a column other than the cursor changes.
"""

from __future__ import annotations

from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lake.contracts import EXTRACTED_AT, RUN_ID, Contract
from spark_jobs.session import Lake, columns_of, one_value

FROM, TO, CURRENT = "valid_from", "valid_to", "is_current"


def update(lake: Lake, contract: Contract, rows: DataFrame, instant: datetime, gone: DataFrame | None) -> None:
    """Close the versions that ended and begin those that are new, in one merge.

    Args:
        rows: valid rows as they are now: the contract's columns and the marks.
        instant: as of which the source was read.
        gone: keys that left; ``None`` says that ``rows`` is the whole table, and every current version without a row
            is closed.
    """
    table, key = contract.table, list(contract.key)
    compared = [name for name in contract.schema.names if name not in (*key, contract.cursor)]
    versions = rows.withColumns({FROM: F.lit(instant), TO: F.lit(None).cast("timestamp"), CURRENT: F.lit(True)})
    lake.ensure("history", table, columns_of(versions))
    known = lake.table("history", table)
    current = known.where(CURRENT)
    if gone is None:
        gone = current.select(*key).join(rows.select(*key), key, "left_anti")
    held = current.select(
        *key, one_value(contract, compared).alias("_old"), F.col(FROM).alias("_since"), F.lit(True).alias("_held")
    )
    closed = known.where(~F.col(CURRENT)).groupBy(*key).agg(F.max(TO).alias("_until"))
    is_new = ~one_value(contract, compared).eqNullSafe(F.col("_old"))
    changed = (
        versions.join(held, key, "left")
        .where(F.col("_held").isNull() | is_new)
        .join(closed, key, "left")
        .withColumn(FROM, _begin(contract, F.lit(instant)))
        .select(*versions.columns, "_held")
    )
    merge_keys = [f"_merge_{i}" for i in range(len(key))]
    ends = changed.where("_held").select(*key, F.col(FROM).alias("_ends_at"))
    ends = ends.unionAll(gone.select(*key, F.lit(instant).alias("_ends_at")))
    closing = ends.select(*[F.col(k).alias(m) for k, m in zip(key, merge_keys, strict=True)], "_ends_at")
    opening = changed.drop("_held")
    closing.unionByName(opening, allowMissingColumns=True).createOrReplaceTempView(f"versions_{table}")
    on = " AND ".join(f"h.`{k}` = v.`{m}`" for k, m in zip(key, merge_keys, strict=True))
    columns = [*contract.schema.names, RUN_ID, EXTRACTED_AT, FROM, TO, CURRENT]
    lake.spark.sql(
        f"""
        MERGE INTO {lake.name("history", table)} h USING versions_{table} v
        ON {on} AND h.{CURRENT}
        WHEN MATCHED THEN UPDATE SET h.{TO} = v._ends_at, h.{CURRENT} = false
        WHEN NOT MATCHED AND v._ends_at IS NULL THEN INSERT ({", ".join(f"`{name}`" for name in columns)})
            VALUES ({", ".join(f"v.`{name}`" for name in columns)})
        """
    )


def _begin(contract: Contract, instant: Column) -> Column:
    """When a version begins: when the source wrote it, as its cursor says, and otherwise when it was seen.

    The cursor of a row that was refused and is valid again, or that changed without it, lies before the end of the
    version before; then it is the instant of the run, so that versions of a row do not overlap.
    """
    written = F.coalesce(F.col(f"`{contract.cursor}`"), F.col(EXTRACTED_AT)) if contract.cursor else F.col(EXTRACTED_AT)
    last = F.greatest("_since", "_until")
    return F.when(last.isNull() | (written > last), F.least(written, instant)).otherwise(instant)
