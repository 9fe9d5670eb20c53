"""The star schema as pure functions: cleaned DataFrames in, one dimension or fact out.

Identifiers become ``bigint``; money keeps its scale. A cancelled order keeps its gross amount and has no revenue.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

CANCELLED = "cancelled"


def _id(name: str) -> Column:
    return F.col(name).cast("bigint").alias(name)


def _by_order(rows: DataFrame) -> DataFrame:
    """Rows with a ``bigint`` to join and group by: as decimal(20,0), which the source's unsigned keys are, every key
    becomes an object."""
    return rows.withColumn("order_id", F.col("order_id").cast("bigint"))


def _revenue(amount: Column, kind: str) -> Column:
    return F.when(F.col("is_cancelled"), F.lit(0)).otherwise(amount).cast(kind).alias("revenue")


def _cost() -> Column:
    """What the units of a line cost the shop; NULL where that is not known, 0 where the order was cancelled."""
    cost = F.col("unit_cost") * F.col("quantity")
    return F.when(F.col("is_cancelled"), F.lit(0)).otherwise(cost).cast("decimal(18,2)")


def _when_all(instant: str) -> Column:
    """The last of some instants, once there is one for each row."""
    return F.when(F.count("*") == F.count(instant), F.max(instant)).alias(instant)


def dim_customer(customers: DataFrame) -> DataFrame:
    """One row a customer, as it is now."""
    return customers.select(
        _id("customer_id"), "email", "first_name", "last_name", "city", "postcode", "country", "age_band",
        "income_band", "household_size", "kids_count", "is_marketing_opt_in",
        F.col("created_at").alias("signed_up_at"), F.col("updated_at").alias("valid_from"),
    )  # fmt: skip


def dim_product(products: DataFrame, categories: DataFrame) -> DataFrame:
    """One row a product, with its category."""
    return products.join(categories.select("category_id", "department", "category_name"), "category_id", "left").select(
        _id("product_id"), "product_name", _id("category_id"), "department", "category_name", "brand", "product_type",
        "package_size", _id("manufacturer_id"), "list_price", "unit_cost", "is_active",
    )  # fmt: skip


def dim_store(stores: DataFrame) -> DataFrame:
    """One row a store."""
    return stores.select(_id("store_id"), "store_name", "city", "region", "opened_on")


def dim_campaign(campaigns: DataFrame, campaign_customers: DataFrame, coupons: DataFrame) -> DataFrame:
    """One row a campaign, with how many customers it addressed and how many distinct coupons it gave out."""
    reached = campaign_customers.groupBy("campaign_id").agg(F.count("*").alias("customer_count"))
    given = coupons.groupBy("campaign_id").agg(F.countDistinct("coupon_upc").alias("coupon_count"))
    return (
        campaigns.join(reached, "campaign_id", "left")
        .join(given, "campaign_id", "left")
        .select(
            _id("campaign_id"), "campaign_type", "starts_on", "ends_on",
            F.coalesce("customer_count", F.lit(0)).alias("customer_count"),
            F.coalesce("coupon_count", F.lit(0)).alias("coupon_count"),
        )
    )  # fmt: skip


def dim_date(orders: DataFrame) -> DataFrame:
    """One row a day, from the first of January of the first order's year to the last of December of the last's."""
    bounds = orders.agg(F.min("ordered_at").alias("low"), F.max("ordered_at").alias("high")).where("low IS NOT NULL")
    days = F.sequence(F.trunc("low", "year"), F.last_day(F.add_months(F.trunc("high", "year"), 11)))
    day = F.col("date_day")
    return bounds.select(F.explode(days).alias("date_day")).select(
        day, F.year(day).alias("year"), F.quarter(day).alias("quarter"), F.month(day).alias("month"),
        F.date_format(day, "MMMM").alias("month_name"), F.weekofyear(day).alias("week"),
        (F.weekday(day) + 1).alias("day_of_week"), F.date_format(day, "EEEE").alias("day_name"),
        (F.weekday(day) >= 5).alias("is_weekend"),
    )  # fmt: skip


def _order_head(orders: DataFrame) -> DataFrame:
    return orders.select(
        _id("order_id"), "customer_id", "store_id", F.to_date("ordered_at").alias("order_date"), "ordered_at", "status",
        "channel", "currency", (F.col("status") == CANCELLED).alias("is_cancelled"),
    )  # fmt: skip


def fct_order_items(order_items: DataFrame, orders: DataFrame) -> DataFrame:
    """One row an order item, with what its order says of who, where and when."""
    return _by_order(order_items.drop("customer_id", "store_id")).join(_order_head(orders), "order_id").select(
        _id("order_item_id"), _id("order_id"), _id("product_id"), _id("customer_id"), _id("store_id"), "order_date",
        "ordered_at", "channel", "is_cancelled", F.col("quantity").cast("bigint").alias("quantity"), "sales_value",
        _revenue(F.col("sales_value"), "decimal(12,2)"), "retail_discount", "coupon_discount", "coupon_match_discount",
        _cost().alias("cost"),
    )  # fmt: skip


def fct_orders(orders: DataFrame, order_items: DataFrame, shipments: DataFrame) -> DataFrame:
    """One row an order; amounts are the sums of its items, instants those of its last shipment.

    An order is shipped when all of its shipments are, and delivered likewise.
    """
    items = (
        _by_order(order_items)
        .groupBy("order_id")
        .agg(
            F.count("*").alias("item_count"),
            F.sum(F.col("quantity").cast("bigint")).alias("units"),
            F.sum("sales_value").alias("gross_amount"),
            F.sum(F.col("retail_discount") + F.col("coupon_discount") + F.col("coupon_match_discount")).alias(
                "discount"
            ),
        )
    )
    shipped = (
        _by_order(shipments)
        .groupBy("order_id")
        .agg(_when_all("shipped_at"), F.max("promised_at").alias("promised_at"), _when_all("delivered_at"))
    )
    nothing = F.lit(0)
    gross = F.coalesce("gross_amount", nothing).cast("decimal(14,2)")
    return _order_head(orders).join(items, "order_id", "left").join(shipped, "order_id", "left").select(
        _id("order_id"), _id("customer_id"), _id("store_id"), "order_date", "ordered_at", "status", "channel",
        "currency", "is_cancelled", F.coalesce("item_count", nothing).cast("bigint").alias("item_count"),
        F.coalesce("units", nothing).cast("bigint").alias("units"), gross.alias("gross_amount"),
        _revenue(gross, "decimal(14,2)"),
        F.coalesce("discount", nothing).cast("decimal(14,2)").alias("discount_amount"),
        "shipped_at", "promised_at", "delivered_at",
    )  # fmt: skip


def fct_payments(payments: DataFrame, orders: DataFrame) -> DataFrame:
    """One row a payment or failed try, with the customer of its order."""
    return _by_order(payments).join(orders.select(_id("order_id"), "customer_id", "channel"), "order_id").select(
        _id("payment_id"), _id("order_id"), _id("customer_id"), "channel", "method", "status", "failure", "amount",
        "paid_at",
        F.to_date("paid_at").alias("paid_date"),
    )  # fmt: skip


def fct_refunds(refunds: DataFrame, orders: DataFrame, order_items: DataFrame) -> DataFrame:
    """One row a return, with its customer and product; of a line that is no longer there the product is not known."""
    lines = order_items.select("order_item_id", "product_id")
    of_order = orders.select(_id("order_id"), "customer_id", "channel")
    return _by_order(refunds).join(of_order, "order_id").join(lines, "order_item_id", "left").select(
        _id("refund_id"), _id("order_id"), _id("order_item_id"), _id("product_id"), _id("customer_id"), "channel",
        F.col("quantity").cast("bigint").alias("quantity"), "amount", "reason", "refunded_at",
        F.to_date("refunded_at").alias("refund_date"),
    )  # fmt: skip
