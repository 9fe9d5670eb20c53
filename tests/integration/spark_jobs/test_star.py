"""Facts of a handful of literal rows."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from spark_jobs import star

DAY = [datetime(2026, 1, day) for day in range(1, 9)]


def test_an_order_is_delivered_when_all_of_its_shipments_are(spark: Any) -> None:
    orders = spark.createDataFrame(
        [(order, DAY[0]) for order in (1, 2, 3)], "order_id bigint, ordered_at timestamp"
    ).selectExpr("*", "1 AS customer_id", "1 AS store_id", "'paid' AS status", "'web' AS channel", "'USD' AS currency")
    items = spark.createDataFrame([(1, 2, 3)], "order_id bigint, quantity int, sales_value int").selectExpr(
        "*", "0 AS retail_discount", "0 AS coupon_discount", "0 AS coupon_match_discount"
    )
    shipments = spark.createDataFrame(
        [
            (1, DAY[1], DAY[5], DAY[3]),
            (1, DAY[2], DAY[6], None),
            (2, DAY[1], DAY[5], DAY[3]),
            (2, DAY[2], DAY[6], DAY[4]),
            (3, DAY[1], DAY[5], None),
            (3, None, DAY[6], None),
        ],
        "order_id bigint, shipped_at timestamp, promised_at timestamp, delivered_at timestamp",
    )
    facts = star.fct_orders(orders, items, shipments).orderBy("order_id").collect()
    instants = [(row["order_id"], row["shipped_at"], row["promised_at"], row["delivered_at"]) for row in facts]
    assert instants == [(1, DAY[2], DAY[6], None), (2, DAY[2], DAY[6], DAY[4]), (3, None, DAY[6], None)]


ORDERS = "order_id bigint, ordered_at timestamp, status string, channel string"


def test_a_line_costs_what_its_units_did_and_nothing_where_that_is_unknown(spark: Any) -> None:
    orders = spark.createDataFrame([(1, DAY[0], "paid", "web"), (2, DAY[0], "cancelled", "web")], ORDERS).selectExpr(
        "*", "1 AS customer_id", "1 AS store_id", "'USD' AS currency"
    )
    lines = "order_item_id bigint, order_id bigint, quantity int, unit_cost decimal(10,4)"
    items = spark.createDataFrame(
        [(1, 1, 3, Decimal("0.3350")), (2, 1, 3, None), (3, 2, 3, Decimal("0.3350"))], lines
    ).selectExpr(
        "*", "1 AS product_id", "2.00 AS sales_value", "0 AS retail_discount", "0 AS coupon_discount",
        "0 AS coupon_match_discount",
    )  # fmt: skip
    facts = star.fct_order_items(items, orders).orderBy("order_item_id").collect()
    # 3 units at 33.5 cents are 1.005, which is rounded half up.
    assert [row["cost"] for row in facts] == [Decimal("1.01"), None, Decimal("0.00")]


def test_a_refund_knows_its_customer_and_the_product_of_its_line(spark: Any) -> None:
    orders = spark.createDataFrame([(1, DAY[0], "delivered", "web")], ORDERS).selectExpr("*", "7 AS customer_id")
    items = spark.createDataFrame([(11, 5)], "order_item_id bigint, product_id bigint")
    refunds = spark.createDataFrame(
        [(1, 1, 11, 1, Decimal("2.50"), "damaged", DAY[2]), (2, 1, 12, 1, Decimal("1.00"), "late", DAY[3])],
        "refund_id bigint, order_id bigint, order_item_id bigint, quantity int, amount decimal(12,2), reason string, "
        "refunded_at timestamp",
    )
    facts = star.fct_refunds(refunds, orders, items).orderBy("refund_id").collect()
    assert [(row["product_id"], row["customer_id"], row["refund_date"], row["amount"]) for row in facts] == [
        (5, 7, DAY[2].date(), Decimal("2.50")),
        (None, 7, DAY[3].date(), Decimal("1.00")),
    ]
