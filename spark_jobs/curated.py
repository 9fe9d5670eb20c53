"""The curated layer: builds the star schema of `spark_jobs.star` on the run's branch.

Dimensions are small and written anew where a table behind them changed. Facts are written anew after a full read, and
otherwise only for the orders that the run touched.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lake import raw
from lake.contracts import RUN_ID
from lake.run import Run
from spark_jobs import parallel, star
from spark_jobs.session import Lake, columns_of

log = logging.getLogger(__name__)

Builder = Callable[..., DataFrame]


@dataclass(frozen=True)
class Model:
    """A curated table: how it is built, and from which cleaned tables, in the order of the builder's arguments."""

    name: str
    build: Builder
    inputs: tuple[str, ...]
    partition: str = ""

    @property
    def is_fact(self) -> bool:
        """Whether it is brought up to date order by order."""
        return self.name.startswith("fct_")


MODELS = (
    Model("dim_customer", star.dim_customer, ("customers",)),
    Model("dim_product", star.dim_product, ("products", "categories")),
    Model("dim_store", star.dim_store, ("stores",)),
    Model("dim_campaign", star.dim_campaign, ("campaigns", "campaign_customers", "coupons")),
    Model("dim_date", star.dim_date, ("orders",)),
    Model("fct_order_items", star.fct_order_items, ("order_items", "orders"), "months(order_date)"),
    Model("fct_orders", star.fct_orders, ("orders", "order_items", "shipments"), "months(order_date)"),
    Model("fct_payments", star.fct_payments, ("payments", "orders")),
)
INPUTS = frozenset(table for model in MODELS for table in model.inputs)


def curate(spark: SparkSession, run: Run, full: set[str], touched: set[str]) -> dict[str, int]:
    """Bring every curated table up to date with the cleaned layer.

    Args:
        full: tables that this run read whole.
        touched: tables of which any row changed in this run.

    Returns:
        Rows written, per curated table.
    """
    lake = Lake(spark, run)
    models = {model.name: model for model in MODELS}
    return parallel.in_order({name: () for name in models}, lambda name: _build(lake, models[name], full, touched))


def _build(lake: Lake, model: Model, full: set[str], touched: set[str]) -> int:
    if not touched & set(model.inputs) and lake.exists("curated", model.name):
        return 0
    inputs = [lake.table("cleaned", table) for table in model.inputs]
    if not model.is_fact or full & set(model.inputs) or not lake.exists("curated", model.name):
        rows = model.build(*inputs)
        lake.ensure("curated", model.name, columns_of(rows), model.partition)
        written = lake.replace_rows("curated", model.name, rows)
    else:
        orders = _touched_orders(lake, [table for table in model.inputs if table in touched])
        rows = model.build(*[table.join(F.broadcast(orders), "order_id", "left_semi") for table in inputs])
        written = _replace_orders(lake, model.name, rows, orders)
    log.info("curated.%s: %s rows written", model.name, written)
    return written


def _touched_orders(lake: Lake, tables: list[str]) -> DataFrame:
    """Orders of which a row was read, written, refused or deleted in this run."""
    found = []
    for table in tables:
        for layer in ("raw", "cleaned", "quarantine"):
            rows = lake.table(layer, table).where(F.col(RUN_ID) == lake.run.run_id)
            found.append(rows.select("order_id").where("order_id IS NOT NULL"))
    return reduce(DataFrame.unionAll, found).distinct()


def _replace_orders(lake: Lake, table: str, rows: DataFrame, orders: DataFrame) -> int:
    """Replace the rows of some orders. Delete, then append: repeating both ends in the same table."""
    name = lake.name("curated", table)
    view = f"touched_{table}"
    orders.createOrReplaceTempView(view)
    lake.spark.sql(f"DELETE FROM {name} WHERE order_id IN (SELECT CAST(order_id AS bigint) FROM {view})")
    rows.writeTo(name).append()
    return raw.rows_added(lake.run.branch, "curated", table)
