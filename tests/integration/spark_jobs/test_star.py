"""Facts of a handful of literal rows."""

from __future__ import annotations

from datetime import datetime
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
