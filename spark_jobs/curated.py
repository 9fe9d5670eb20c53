"""The curated layer: builds the star schema of `spark_jobs.star` on the run's branch.

Dimensions are small and written anew where a table behind them changed. Facts are written anew after a full read, and
otherwise only for the orders that the run touched. What was built by other code than today's, or has other columns than
it gives, is built anew from nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lake import logs
from lake.contracts import Contract
from lake.layers import built
from lake.layers.touched import months_of, touched_values
from lake.ordered import in_order
from lake.run import Run
from lake.settings import settings
from lake.tracing import names
from spark_jobs import star
from spark_jobs.bounds import Bounds, around
from spark_jobs.limit import Limit
from spark_jobs.session import TABLES_AT_ONCE, Lake, columns_of, small

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
    def fingerprint(self) -> str:
        """Of everything but the inputs' columns that decides what the table holds."""
        return built.fingerprint(built.code_of(self.build), *self.inputs, self.partition)

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
    Model("fct_refunds", star.fct_refunds, ("refunds", "orders", "order_items")),
)
PRODUCTS, ITEMS = "dim_product", "fct_order_items"
ID_BYTES = 16
"""Of an order's id, which may be decimal(20,0)."""

MOST_IDS = 50_000
"""Orders whose ids are looked at one by one, to see between which they lie."""


def made_of(tables: Set[str]) -> set[str]:
    """Names of the curated tables that are made of any of some cleaned ones."""
    return {model.name for model in MODELS if tables & {*model.inputs}}


def curate(
    spark: SparkSession,
    run: Run,
    contracts: dict[str, Contract],
    full: set[str],
    touched: set[str],
    landed: Mapping[str, Sequence[str]],
    left: Set[str] = frozenset(),
) -> Curated:
    """Bring every curated table up to date with the cleaned layer; what was done.

    Args:
        contracts: of the tables that the star schema is made of.
        full: tables that this run read whole.
        touched: tables of which any row changed in this run.
        landed: per table, addresses of the files that this run landed.
        left: curated tables that stay as they are.
    """
    lake = Lake(spark, run)
    models = {model.name: model for model in MODELS}
    same_code = {model.name for model in MODELS if _is_of(lake, model)}
    stale = [
        model
        for model in MODELS
        if model.name not in left and (touched & {*model.inputs} or model.name not in same_code)
    ]
    by_order = {
        model.name for model in stale if model.is_fact and model.name in same_code and not full & {*model.inputs}
    }
    tables = {table for name in by_order for table in models[name].inputs} & touched
    with Limit(spark, settings().spark_timeout_seconds) as limit:
        with limit.at("the orders that changed"):
            orders = _touched_orders(lake, [contracts[table] for table in sorted(tables)], landed) if by_order else None

        def one(name: str) -> Written:
            with limit.at(f"curated.{name}") as said:
                written = _build(lake, models[name], orders if name in by_order else None, name in same_code)
                said |= {names.TABLE: name, names.ROWS: written.rows}
            with logs.about(table=name):
                log.info("curated.%s: %s rows written", name, written.rows)
            return written

        written = in_order({model.name: () for model in stale}, one, TABLES_AT_ONCE)
        with limit.at("the months that changed"):
            months = _touched_months(lake, orders, written)
    return Curated({name: written[name].rows if name in written else 0 for name in models}, months)


@dataclass(frozen=True)
class Curated:
    """What was done to the curated tables.

    Attributes:
        written: rows written of each.
        months: first days of the months of which the order items sold may be others than before, or may count for
            another category; None where that is not known, because more was built anew than some orders.
    """

    written: dict[str, int]
    months: list[date] | None


@dataclass(frozen=True)
class Written:
    """What was written of one table: how many rows, and whether those of some orders alone."""

    rows: int
    is_by_order: bool = False


@dataclass(frozen=True)
class Orders:
    """Some orders, by ``order_id``: their ids, the same for Spark, and between which they lie."""

    ids: pa.Array
    rows: DataFrame
    bounds: Bounds

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.ids)

    @classmethod
    def of(cls, spark: SparkSession, ids: pa.Array) -> Orders:
        """Those with some ids, each named once."""
        # Not as it is sent: every plan would carry the ids, as constants, and Spark compile its code anew in every run.
        sent = spark.createDataFrame(pa.table({"order_id": ids})).localCheckpoint()
        if len(ids) <= MOST_IDS:
            return cls(ids, sent, around("order_id", ids.to_pylist()))
        ends = pc.min_max(ids).as_py()
        return cls(ids, sent, Bounds("order_id", ((ends["min"], ends["max"]),)))

    def among(self, rows: DataFrame) -> DataFrame:
        """The rows of these orders."""
        some = small(self.rows, self.count, ID_BYTES)
        return self.bounds.within(rows).join(some, "order_id", "left_semi")


def _is_of(lake: Lake, model: Model) -> bool:
    """Whether the table is there and was built by the model as it is today."""
    return built.built_by(lake.run.branch, "curated", model.name) == model.fingerprint


def _build(lake: Lake, model: Model, orders: Orders | None, is_same_code: bool) -> Written:
    """Bring one table up to date.

    Args:
        orders: those that are to be written anew, where the others may stay as they are.
    """
    rows = model.build(*_inputs(lake, model))
    columns = columns_of(rows)
    if is_same_code and columns_of(lake.table("curated", model.name)) == columns:
        if orders is not None:
            return Written(_replace_orders(lake, model, orders), is_by_order=True)
        return Written(lake.replace_rows("curated", model.name, rows))
    lake.create_anew("curated", model.name, columns, model.partition)
    written = lake.replace_rows("curated", model.name, rows)
    built.mark(lake.run.branch, "curated", model.name, model.fingerprint)
    return Written(written)


def _replace_orders(lake: Lake, model: Model, orders: Orders) -> int:
    """Bring the rows of some orders up to date; how many they are now."""
    inputs = [orders.among(table) for table in _inputs(lake, model)]
    outdated = orders.rows.select(F.col("order_id").cast("bigint").alias("order_id"))
    lake.delete_keys("curated", model.name, small(outdated, orders.count, ID_BYTES), orders.bounds)
    return lake.append("curated", model.name, model.build(*inputs), orders.count)


def _inputs(lake: Lake, model: Model) -> list[DataFrame]:
    return [lake.table("cleaned", table) for table in model.inputs]


def _touched_orders(lake: Lake, contracts: list[Contract], landed: Mapping[str, Sequence[str]]) -> Orders:
    """Orders of which a row was read, written, refused or deleted in this run: those that the rows belong to now, and
    those that they belonged to when the run began."""
    found = [touched_values(lake.run, one, "order_id", landed.get(one.table, ())) for one in contracts]
    kinds = {ids.type for ids in found}
    # A key that is decimal(20,0), as the source's unsigned ones are, in one table alone is no larger there.
    kind = kinds.pop() if len(kinds) == 1 else pa.int64()
    return Orders.of(lake.spark, pc.unique(pa.chunked_array([ids.cast(kind) for ids in found], kind)))


def _touched_months(lake: Lake, orders: Orders | None, written: Mapping[str, Written]) -> list[date] | None:
    """See `Curated`. Asked of the items, before and now: an order may have gone from one month to another."""
    if PRODUCTS in written and not _has_same_categories(lake):
        return None
    if ITEMS not in written:
        return []
    if orders is None or not written[ITEMS].is_by_order:
        return None
    ids = orders.ids.cast(pa.int64())
    now, before = (months_of(reference, ITEMS, ids) for reference in (lake.run.branch, lake.run.base_reference))
    return sorted(now | before)


def _has_same_categories(lake: Lake) -> bool:
    """Whether every product is in the category in which it was when the run began."""
    if not lake.was_there("curated", PRODUCTS):
        return False
    now, before = (
        rows.select("product_id", "category_id")
        for rows in (lake.table("curated", PRODUCTS), lake.before("curated", PRODUCTS))
    )
    return not now.exceptAll(before).unionAll(before.exceptAll(now)).take(1)
